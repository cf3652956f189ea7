package service

import (
	"context"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Work is what the status line shows.
type Work struct {
	Open  map[store.State]int // unfinished documents
	Today map[store.State]int // documents that ended today
	Stuck int
	Hold  *store.Hold // nil: none
	// Changed is closed when Hold may have changed; it may be nil.
	Changed <-chan struct{}
}

// Line returns the status line: "12 waiting, 4 uploading, 31 pending, 1,204 filed
// today". A hold comes first. Rarer states are shown only where they are not zero.
func (w Work) Line() string {
	var parts []string
	count := func(n int, what string, always bool) {
		if n > 0 || always {
			parts = append(parts, display.Count(n)+" "+what)
		}
	}
	count(w.Open[store.Waiting], "waiting", true)
	count(w.Open[store.Submitting], "uploading", true)
	count(w.Open[store.Pending], "pending", true)
	count(w.Open[store.Identified], "to be filed", false)
	count(w.Today[store.Filed], "filed today", true)
	count(w.Today[store.Review], "to review", false)
	count(w.Stuck, "stuck", false)
	count(w.Today[store.Failed], "failed", false)
	line := strings.Join(parts, ", ")
	if h := w.Hold; h != nil {
		line = "on hold (" + string(h.Kind) + "): " + display.Prose(h.Reason) + "; " + line
	}
	return line
}

// The shortest time between two looks at the work, and the part of the time that
// they may take: counting a million documents takes a while.
const (
	shortestLook = time.Second
	lookingShare = 20
)

// ShowStatus keeps the status line up to date until ctx is done. look returns what to
// show; changed holds a token when that may have changed. A look that fails is made
// again at the next change. At midnight the numbers of the day begin anew.
func (m *Manager) ShowStatus(ctx context.Context, changed <-chan struct{}, look func(context.Context) (Work, error)) {
	if m.absent {
		return
	}
	shown := ""
	for ctx.Err() == nil {
		begun := time.Now()
		work, err := look(ctx)
		if line := work.Line(); err == nil && line != shown {
			m.send("STATUS=" + line)
			shown = line
		}
		select {
		case <-time.After(max(shortestLook, lookingShare*time.Since(begun))):
		case <-ctx.Done():
		}
		select {
		case <-changed:
		case <-work.Changed:
		case <-midnight(time.Now(), work):
		case <-ctx.Done():
		}
	}
}

// midnight returns when what is shown of today is over; never, where nothing is.
func midnight(now time.Time, w Work) <-chan time.Time {
	for _, n := range w.Today {
		if n > 0 {
			year, month, day := now.Date()
			return time.After(time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now))
		}
	}
	return nil
}
