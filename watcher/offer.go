package watcher

import "time"

const offerCheck = time.Second // between two looks at a file that nobody receives

// offer returns the channel to send on and the path to send, or nil when no
// file is ready. A file may be ready for long before its turn comes, so it is
// looked at then, and again while nobody receives it.
func (s *settler) offer() (chan<- string, string) {
	for range s.limits.batch {
		c := s.candidates.ready.first()
		if c == nil {
			return nil, ""
		}
		if c == s.offered && time.Since(s.offeredAt) < offerCheck {
			return s.cfg.Files, c.path
		}
		if s.fitToSend(c) {
			s.offered, s.offeredAt = c, time.Now()
			return s.cfg.Files, c.path
		}
	}
	return nil, ""
}

// fitToSend looks at c for the last time. That comes after Inspect, which may
// have taken a while, and which opens the file: that makes a network filesystem
// ask its server for the present size.
func (s *settler) fitToSend(c *candidate) bool {
	info, same := s.lookAgain(c)
	if !same {
		return false
	}
	if s.sent[c.path].state != c.state {
		return true // Known cannot have come to know it since it was asked
	}
	if s.known(c.path, info) {
		s.drop(c)
		return false
	}
	return true
}

// delivered forgets the file that was just received: from now on Known answers
// for it.
func (s *settler) delivered() {
	c := s.offered
	s.log.Debug("file settled", s.log.at(c.path), "size", c.state.size)
	if len(s.sent) >= s.limits.sent {
		clear(s.sent)
	}
	s.sent[c.path] = sending{state: c.state, since: c.since, at: time.Now()}
	s.drop(c)
}

// nextWake returns when there is work to do, which is no later than at. A ready
// file that is not offered yet is work for now.
func (s *settler) nextWake(at time.Time) time.Time {
	if s.candidates.ready.first() != s.offered {
		return time.Now()
	}
	if s.offered != nil {
		at = earlier(at, s.offeredAt.Add(offerCheck))
	}
	return s.candidates.nextDue(at)
}

// sending is what is remembered of a file that was sent. It only saves work: the file
// is not sent twice before Known can know it, and one that has to be sent again need
// not settle again.
type sending struct {
	state fileState
	since time.Time // it has stood still since then
	at    time.Time // when it was received
}
