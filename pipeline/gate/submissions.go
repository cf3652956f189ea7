package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// inARow is how many refusals in a row are no coincidence any more.
const inARow = 3

// submissions is what the gate knows of submissions alone.
type submissions struct {
	hold     *Trouble
	untried  bool                     // a document waits that was never tried
	accepted bool                     // the service accepted one with these type codes
	streak   int                      // submissions in a row that failed although the service answers
	failed   map[int64]docutray.Class // documents that they were of, three at most, and how
	unnamed  bool                     // documents were accepted twice without a job: a person asks for the next try
}

// wait returns how long a probe waits. A document that was never tried need not wait
// for what may be another one's own trouble, nor ever for long.
func (s *submissions) wait(now time.Time) time.Duration {
	wait := s.hold.wait(now)
	if s.unnamed {
		wait = longestWait
	}
	switch {
	case !s.untried || s.hold.probing || s.unnamed && len(s.failed) != 1:
		return wait
	case len(s.failed) == 1:
		return 0
	default:
		return min(wait, max(s.hold.began.Add(30*time.Second).Sub(now), 0))
	}
}

// fail decides about a submission that failed although the service answers, and holds
// all of them where that is no coincidence.
//
// Where the service never accepted anything with these type codes, it may refuse every
// document. Then a refusal counts against a document only where it was refused twice
// before three different ones failed.
func (s *submissions) fail(probe bool, doc int64, e *docutray.Error, now time.Time) Verdict {
	refused := e.Class == docutray.Document
	if refused && s.accepted {
		return DocumentFault
	}
	again := s.failed[doc] == e.Class
	if len(s.failed) < inARow {
		s.failed[doc] = e.Class
	}
	s.streak++
	verdict, enough := ServiceFault, s.hold != nil || s.streak >= inARow
	switch e.Class {
	case docutray.Account:
		verdict, enough = External, true
	case docutray.NoID:
		enough, s.unnamed = true, again || len(s.failed) > 1
	}
	if refused {
		if enough = len(s.failed) >= inARow; again && !enough {
			return DocumentFault
		}
	}
	if enough && (s.hold == nil || probe || s.unnamed) {
		s.hold = s.hold.prolong(e, now)
		if e.Class == docutray.NoID {
			s.hold.probeAt = now.Add(unnamedPause)
		}
		if s.unnamed {
			s.holdUnnamed()
		}
		if refused {
			s.hold.Kind = Account
			s.hold.Reason = "the service refuses every document; check DOCUSORT_DOCUMENT_TYPES and DOCUSORT_METADATA: " + e.Reason()
		}
	}
	return verdict
}

// unnamedPause is how long a document that was accepted without a job waits for its second
// try, which may cost as much.
const unnamedPause = 2 * time.Minute

func (s *submissions) holdUnnamed() {
	s.unnamed, s.hold.Kind = true, Account
	s.hold.Reason = "the service accepts documents and names no job, so that each try may cost; ask DocuTray, and then reload docusort, which tries one more"
}

// succeed notes that the service accepted a document.
func (s *submissions) succeed() {
	s.accepted, s.streak, s.hold, s.unnamed = true, 0, nil, false
	clear(s.failed)
}

// Recall tells the gate what the record says of submissions with the present type codes.
// accepted: the service took a document, and so a refusal is not the settings' fault.
// unnamed: it took documents without naming a job, and so nothing is submitted until
// [Gate.RetryNow].
func (g *Gate) Recall(accepted, unnamed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.submissions.accepted = accepted
	if unnamed {
		g.submissions.hold = &Trouble{Hold: Hold{Since: time.Now()}}
		g.submissions.holdUnnamed()
	}
	g.notify()
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
