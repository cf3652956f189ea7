package watcher

import "time"

const degradedRescan = 10 * time.Second // at most between two scans without watches

// schedule says when the next full scan is due.
type schedule struct {
	rescan time.Duration
	again  bool          // events were lost, or somebody asked
	took   time.Duration // by the last full scan
	end    time.Time     // of the last full scan; zero: scan at once
}

// next returns when the next full scan is due. It is sooner where watches are
// missing (degraded), but scanning never takes more than about a tenth of the
// time. Where events were lost, the pause is as long as the last scan took.
func (s *schedule) next(degraded bool) time.Time {
	pause := s.rescan
	if degraded {
		pause = min(pause, max(degradedRescan, 10*s.took))
	}
	if s.again {
		pause = min(pause, s.took)
	}
	return s.end.Add(pause)
}
