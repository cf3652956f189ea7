package watcher

import (
	"log/slog"
	"slices"
	"strconv"
	"time"
)

// crowd are files that there was no room for: some of them, to tell a person.
type crowd struct {
	files  map[string]outsider
	owner  uint32    // had no candidate to give up
	before time.Time // at least until then
}

// outsider is a file that is left to later scans.
type outsider struct {
	owner uint32
	first time.Time // when it was first seen
	scan  uint64    // number of the full scan during which it was met last
}

// leaveOut remembers a file that there is no room for.
func (s *settler) leaveOut(c *candidate) {
	if _, ok := s.crowd.files[c.path]; ok || len(s.crowd.files) < maxLeft {
		s.crowd.files[c.path] = outsider{c.owner, c.first, s.log.scan}
	}
}

// makeRoom gives up candidates for one of the owner, and reports whether there were any:
// those of the owner with the most places, or where that is this one, those that still
// wait after twice the settle time. Later scans find them again. Those that changed last
// go first, as they have longest to wait; the older half is safe, so that files that
// look cut short come to their end.
func (s *settler) makeRoom(owner uint32, now time.Time) bool {
	cs := &s.candidates
	if s.once || s.crowd.owner == owner && now.Before(s.crowd.before) {
		return false // RunOnce gives up by itself those that do not settle
	}
	from, most := owner, 0
	for other, n := range cs.places {
		if n > most {
			from, most = other, n
		}
	}
	number, patience := max(1, s.limits.candidates/16), time.Duration(0)
	if more := (most - cs.places[owner]) / 2; more > 0 {
		number = min(number, more)
	} else {
		from, patience = owner, 2*s.cfg.Settle
	}
	var waiting []*candidate
	if q := cs.waiting[from]; q != nil {
		waiting = slices.SortedFunc(slices.Values(q.all), func(a, b *candidate) int { return b.since.Compare(a.since) })
	}
	given, before := 0, now.Add(2*s.cfg.Settle)
	for _, c := range waiting[:len(waiting)/2] {
		if end := c.added.Add(patience); end.After(now) {
			before = earlier(before, end)
		} else if given < number {
			given++
			s.leaveOut(c)
			s.drop(c)
		}
	}
	if given == 0 {
		s.crowd.owner, s.crowd.before = owner, before
		return false
	}
	s.log.once(slog.LevelWarn, "too many files that do not settle; some are looked at only by scans",
		strconv.Itoa(int(from)), "uid", from, "limit", s.limits.candidates, s.log.at(waiting[0].path))
	return true
}
