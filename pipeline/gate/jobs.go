package gate

import (
	"slices"
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
	// OthersAnswered says that the poll of another job was answered since.
	OthersAnswered bool
}

func (j jobs) answered(doc int64) {
	delete(j, doc)
	for _, t := range j {
		t.OthersAnswered = true
	}
}

func (j jobs) failed(doc int64, e *docutray.Error, now time.Time) {
	t := j[doc]
	if t == nil {
		t = &Trouble{Since: now}
		j[doc] = t
	}
	t.Kind, t.Reason, t.Tries = kindOf(e), e.Reason(), t.Tries+1
}

// shownAfter is how long the trouble of fewer than three jobs lasts before it is shown.
const shownAfter = time.Minute

// hold shows trouble that jobs have until a poll is answered. It keeps nobody.
func (j jobs) hold(now time.Time) *Hold {
	var all []*Trouble
	for _, t := range j {
		if !t.OthersAnswered {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil
	}
	first := slices.MinFunc(all, func(a, b *Trouble) int { return a.Since.Compare(b.Since) })
	if len(all) < inARow && now.Sub(first.Since) < shownAfter {
		return nil
	}
	return &Hold{Kind: first.Kind, Since: first.Since, Reason: "jobs cannot be polled: " + first.Reason}
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
