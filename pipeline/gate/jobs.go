package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// jobs are those whose polls fail although the service answers, by document.
type jobs map[int64]*Trouble

// Trouble is what the polls of one job meet, and those of others need not.
type Trouble struct {
	Kind   HoldKind
	Reason string
	Since  time.Time
	Tries  int // polls in a row that failed

	OthersAnswered bool // the poll of another job was answered since
}

func (j jobs) answered(doc int64) {
	delete(j, doc)
	for _, t := range j {
		t.OthersAnswered = true
	}
}

func (j jobs) failed(doc int64, e *docutray.Error, now time.Time) Verdict {
	t := j[doc]
	if t == nil {
		t = &Trouble{Since: now}
		j[doc] = t
	}
	t.Kind, t.Reason, t.Tries = kindOf(e), e.Reason(), t.Tries+1
	if e.Class == docutray.Missing {
		return JobMissing
	}
	return ServiceFault
}

// holds shows the trouble of three jobs at once, or one that lasts, until a poll is
// answered. It keeps nobody.
func (j jobs) holds(now time.Time) (all []Hold) {
	lasts := false
	for _, t := range j {
		if !t.OthersAnswered {
			all = append(all, Hold{Kind: t.Kind, Since: t.Since, Reason: "jobs cannot be polled: " + t.Reason})
			lasts = lasts || now.Sub(t.Since) >= time.Minute
		}
	}
	if len(all) < inARow && !lasts {
		return nil
	}
	return all
}

// Trouble returns what the polls of a document's job have met since one was last
// answered; the zero value: nothing.
func (g *Gate) Trouble(doc int64) Trouble {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.jobs[doc]; t != nil {
		return *t
	}
	return Trouble{}
}

// Forget drops what is known of a document's job, because it ended.
func (g *Gate) Forget(doc int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.jobs, doc)
}
