package service

import (
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Work is what there is to be shown at a glance.
type Work struct {
	Open  map[store.State]int // unfinished documents
	Today map[store.State]int // documents that ended today
	Hold  *store.Hold         // nil: none
	Inbox string              // the inbox, where it is waited for; else empty
	// Changed is closed when Hold or Inbox may be another; nil where nobody knows.
	Changed <-chan struct{}
}

// Line says it in one line: "12 waiting, 4 uploading, 31 pending, 1,204 filed
// today". What is rarer is there only when there is some. What keeps the work
// from going on comes first.
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
