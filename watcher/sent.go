package watcher

import "time"

// sending is what is remembered of a file that was sent.
type sending struct {
	state fileState
	since time.Time // it has stood still since then
	at    time.Time // when it was received
}

// sentFiles remembers the last files sent, at most max. It only saves work: a
// file is not sent twice before Known can know it, and one that has to be sent
// again need not settle again.
type sentFiles struct {
	max        int
	young, old map[string]sending
}

// add remembers path. When half of the room is full, the older half is
// forgotten.
func (s *sentFiles) add(path string, what sending) {
	if s.young == nil || len(s.young) >= s.max/2 {
		s.old, s.young = s.young, make(map[string]sending)
	}
	s.young[path] = what
}

// get returns the sending of path if it was sent in exactly this state.
func (s *sentFiles) get(path string, state fileState) (sending, bool) {
	before, ok := s.young[path]
	if !ok {
		before, ok = s.old[path]
	}
	return before, ok && before.state == state
}
