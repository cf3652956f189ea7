package pipeline

import (
	"sync/atomic"
	"time"
)

// heartbeat lets the watchdog check that a loop is running: it has the time of its last
// round, or 0 while it waits for work or for the service.
type heartbeat struct{ at atomic.Int64 } // Unix nanoseconds

func (h *heartbeat) beat() { h.at.Store(time.Now().UnixNano()) }
func (h *heartbeat) idle() { h.at.Store(0) }

func (h *heartbeat) late(limit time.Duration) bool {
	at := h.at.Load()
	return at != 0 && time.Since(time.Unix(0, at)) > limit
}

// Late returns the name of a loop that has work and made no round within the limit; ""
// where there is none, or where a loop waits for the disk of the database.
func (p *Pipeline) Late(limit time.Duration) string {
	switch {
	case p.diskWait.Load() > 0:
		return ""
	case p.dispatching.late(limit):
		return "dispatch"
	case p.filing.late(limit):
		return "file"
	}
	return ""
}
