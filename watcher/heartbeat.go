package watcher

import (
	"sync/atomic"
	"time"
)

// heartbeat lets the watchdog check that a loop is running. The zero value is
// that of a loop that waits.
type heartbeat struct {
	busy atomic.Pointer[time.Time] // when the present round began; nil: the loop waits
}

// beat notes that the loop begins a round.
func (h *heartbeat) beat() {
	now := time.Now()
	h.busy.Store(&now)
}

// idle notes that the loop waits for something to do, for as long as it takes.
func (h *heartbeat) idle() { h.busy.Store(nil) }

// late reports whether the present round began more than limit ago.
func (h *heartbeat) late(limit time.Duration) bool {
	since := h.busy.Load()
	return since != nil && time.Since(*since) > limit
}
