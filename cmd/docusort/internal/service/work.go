package service

import (
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Work is what the status line shows.
type Work struct {
	Open  map[store.State]int // unfinished documents
	Today map[store.State]int // documents that ended today
	Hold  *store.Hold         // nil: none
	Inbox string              // the inbox that is waited for; empty: none
	// Changed is closed when Hold or Inbox may have changed; it may be nil.
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
	count(w.Today[store.Failed], "failed", false)
	line := strings.Join(parts, ", ")
	if w.Inbox != "" {
		line = "waiting for the inbox " + display.Printable(w.Inbox) + "; " + line
	}
	if h := w.Hold; h != nil {
		line = "on hold (" + string(h.Kind) + "): " + display.Prose(h.Reason) + "; " + line
	}
	return line
}
