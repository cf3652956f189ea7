package pipeline

import (
	"time"

	"docusort/store"
)

// Hold returns the hold that the work is on, nil where it is on none, and a
// channel that is closed when that may have changed. It knows of a hold that the
// record's disk is too full to hold.
func (p *Pipeline) Hold() (h *store.Hold, changed <-chan struct{}) {
	h, changed, _ = p.gate.shown(time.Now())
	return h, changed
}
