package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// inARow is how many refusals in a row are no coincidence any more.
const inARow = 3

// untriedProbe is the longest pause while a document waits that was never tried.
const untriedProbe = 30 * time.Second

// submissions is what the gate knows of submissions alone.
type submissions struct {
	hold     *Trouble
	untried  bool           // a document waits that was never tried
	accepted bool           // the service accepted one with these type codes
	refused  map[int64]bool // while it did not: documents that it refused
	streak   int            // submissions in a row that failed although the service answers
	only     int64          // the one document that they were of; 0: several
}

// wait returns how long a probe waits. A document that was never tried need not wait
// for what may be another one's own trouble.
func (s *submissions) wait(now time.Time) time.Duration {
	switch wait := s.hold.wait(now); {
	case !s.untried || s.hold.probing:
		return wait
	case s.only != 0:
		return 0
	default:
		return min(wait, max(s.hold.began.Add(untriedProbe).Sub(now), 0))
	}
}

// failed decides about a submission that failed although the service answers, and holds
// all of them where that is no coincidence.
//
// Where the service never accepted anything with these type codes, it may refuse every
// document. Then a refusal counts against a document only where it was refused twice
// before three different ones were.
func (s *submissions) failed(probe bool, doc int64, e *docutray.Error, now time.Time) Verdict {
	if e.Class == docutray.Document && s.accepted {
		return DocumentFault
	}
	verdict, enough := ServiceFault, s.hold != nil || s.streak+1 >= inARow
	switch e.Class {
	case docutray.Account:
		verdict, enough = External, true
	case docutray.Document:
		again := s.refused[doc]
		s.refused[doc] = true
		if enough = len(s.refused) >= inARow; again && !enough {
			return DocumentFault
		}
	}
	if s.streak++; s.streak == 1 {
		s.only = doc
	} else if s.only != doc {
		s.only = 0
	}
	if enough && (s.hold == nil || probe) {
		s.hold = s.hold.prolong(e, now)
		if e.Class == docutray.Document {
			s.hold.Kind = Account
			s.hold.Reason = "the service refuses every document; check DOCUSORT_DOCUMENT_TYPES and DOCUSORT_METADATA: " + e.Reason()
		}
	}
	return verdict
}

// SetAccepted tells the gate whether the service ever accepted a document with the
// present type codes: then a refusal is not the settings' fault.
func (g *Gate) SetAccepted(accepted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.submissions.accepted = accepted
}

// Untried tells the gate whether a document waits that was never tried.
func (g *Gate) Untried(waits bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.submissions.untried = waits
	g.notify()
}

// SubmissionsHeld reports whether documents are tried one at a time, whatever their
// pauses.
func (g *Gate) SubmissionsHeld() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.submissions.hold != nil
}
