package pipeline

import (
	"sync/atomic"
	"time"
)

// heartbeat tells the watchdog whether a loop goes on: when it last went round, or
// that it waits, for however long, for work, for the database or for the service.
type heartbeat struct{ at atomic.Int64 } // Unix nanoseconds; 0: it waits

func (h *heartbeat) beat() { h.at.Store(time.Now().UnixNano()) }
func (h *heartbeat) idle() { h.at.Store(0) }

func (h *heartbeat) late(limit time.Duration) bool {
	at := h.at.Load()
	return at != 0 && time.Since(time.Unix(0, at)) > limit
}

// loops are those without which no document moves on.
type loops struct{ dispatch, file heartbeat }

// Late names a loop that has not gone round within the limit although it has work;
// "" where there is none. Nothing is late while the database's disk is waited for.
func (p *Pipeline) Late(limit time.Duration) string {
	switch {
	case p.diskWait.Load() > 0:
		return ""
	case p.loops.dispatch.late(limit):
		return "dispatch"
	case p.loops.file.late(limit):
		return "file"
	}
	return ""
}
