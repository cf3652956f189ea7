package watcher

import (
	"sync"
	"time"
)

// heartbeat lets the watchdog check that a loop is running. The zero value is
// one of a loop that waits.
type heartbeat struct {
	mu   sync.Mutex
	busy bool
	at   time.Time // of the last beat
}

// beat notes that the loop begins a round.
func (h *heartbeat) beat() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy, h.at = true, time.Now()
}

// idle notes that the loop waits for something to do, for as long as it takes.
func (h *heartbeat) idle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy = false
}

// late reports whether the present round began more than limit ago.
func (h *heartbeat) late(limit time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy && time.Since(h.at) > limit
}
