package watcher

import (
	"cmp"
	"log/slog"
	"slices"
	"strconv"
	"time"
)

const (
	leftAfter = time.Minute // since it was first seen, a file that waits is listed
	listPause = time.Second // at least, between two lists
	maxLeft   = 1000        // files in a list
)

// Left is a file that was seen and has not been sent, or a folder that cannot be read.
type Left struct {
	Path   string    // relative to Root; that of a folder ends in a slash
	Reason string    // "being written", "cut short", "empty", "too many", "waiting for its turn" or "not readable"
	Since  time.Time // when it was first seen
}

// reason says why c waits.
func (s *settler) reason(c *candidate) string {
	switch {
	case c.queue == &s.candidates.ready:
		return "waiting for its turn"
	case c.pause == 0, c.found == Writing:
		return "being written"
	case c.state.size == 0:
		return "empty"
	}
	return "cut short"
}

// NotTaken returns up to 1,000 files that were not sent, those waiting longest first: those
// that look cut short or are empty, and those that were first seen more than a minute ago.
// No owner has all of the places where there are several. The list is made every ten
// seconds, and within a second of a file that looks cut short, or that is taken.
func (w *Watcher) NotTaken() []Left {
	if left := w.left.Load(); left != nil {
		return *left
	}
	return nil
}

// Changed returns a channel that holds a token when NotTaken changed, or the inbox was found
// missing, back, another folder or not readable, since one was last taken. It is for one listener.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

func (w *Watcher) noteChange() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// list makes the list where it is due.
func (l *loop) list(now time.Time) {
	due := !l.files.listAt.IsZero() && !now.Before(l.files.listAt)
	if !due && now.Before(l.inbox.nextCheck) {
		return
	}
	l.files.listAt = time.Time{}
	left := l.files.notTaken(now)
	if !slices.Equal(left, l.NotTaken()) {
		l.left.Store(&left)
		l.noteChange()
	}
}

// relist has the list made soon. RunOnce makes none.
func (s *settler) relist() {
	if s.listAt.IsZero() && !s.once {
		s.listAt = time.Now().Add(listPause)
	}
}

// notTaken makes the list.
func (s *settler) notTaken(now time.Time) []Left {
	byOwner := make(map[uint32][]Left)
	for _, c := range s.candidates.byPath {
		c.listed = now.Sub(c.first) > leftAfter || c.pause > 0 && c.found == Incomplete
		if c.listed {
			byOwner[c.owner] = append(byOwner[c.owner], Left{c.path, s.reason(c), c.first})
		}
	}
	add := func(files map[string]outsider, reason string) {
		for path, o := range files {
			if now.Sub(o.first) > leftAfter {
				byOwner[o.owner] = append(byOwner[o.owner], Left{path, reason, o.first})
			}
		}
	}
	add(s.crowd.files, "too many")
	add(s.hidden, "not readable")
	older := func(a, b Left) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Path, b.Path)) }
	var all []Left
	for _, left := range byOwner {
		slices.SortFunc(left, older)
		all = append(all, left[:min(len(left), max(1, maxLeft/len(byOwner)))]...)
	}
	slices.SortFunc(all, older)
	return all[:min(len(all), maxLeft)]
}

// crowd are files that there was no room for: some of them, to tell a person.
type crowd struct {
	files  map[string]outsider
	owner  uint32    // had no candidate to give up
	before time.Time // at least until then
}

// hide remembers a file that cannot be seen, or a folder that cannot be read. dir is the
// folder, whose owner is its owner.
func (s *settler) hide(path, dir string) {
	o, ok := s.hidden[path]
	if !ok {
		o.first = time.Now()
		if info, err := s.inbox.lstat(dir); err == nil {
			o.owner = ownerOf(info)
		}
	}
	if o.scan = s.log.scan; ok || len(s.hidden) < maxLeft {
		s.hidden[path] = o
	}
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
	if s.once || s.crowd.owner == owner && now.Before(s.crowd.before) {
		return false // RunOnce gives up by itself those that do not settle
	}
	cs, from := &s.candidates, owner
	for other, n := range cs.places {
		if n > cs.places[from]+1 {
			from = other
		}
	}
	number, patience := max(1, s.limits.candidates/16), 2*s.cfg.Settle
	if from != owner {
		number, patience = min(number, (cs.places[from]-cs.places[owner])/2), 0
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
