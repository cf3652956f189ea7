package watcher

import "time"

const degradedRescan = 10 * time.Second // at most between two scans without watches

// schedule says when the next full scan is due.
type schedule struct {
	rescan time.Duration
	again  bool          // events were lost, or a rescan was asked for
	pause  time.Duration // after the last scan, before one that lost events ask for
	took   time.Duration // by the last scan
	end    time.Time     // of the last scan
}

// now has the inbox scanned without a pause.
func (s *schedule) now() { s.again, s.pause = true, 0 }

// ended notes that a full scan ended.
func (s *schedule) ended(at time.Time, took time.Duration) {
	s.end, s.took, s.pause = at, took, took
}

// next returns when the next full scan is due. Degraded: without all watches
// the inbox is scanned more often, but never for more than about a tenth of the
// time. Room: there is room for the files that lost events told of.
func (s *schedule) next(degraded, room bool) time.Time {
	interval := s.rescan
	if degraded {
		interval = min(interval, max(degradedRescan, 10*s.took))
	}
	if s.again && room {
		interval = min(interval, s.pause)
	}
	return s.end.Add(interval)
}
