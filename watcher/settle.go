package watcher

import (
	"errors"
	"io/fs"
	"path"
	"time"
)

const (
	maxPause    = 30 * time.Second // between two looks at an unfinished file
	minPause    = 100 * time.Millisecond
	resendAfter = 10 * time.Second       // at most until a rescan sends a file again
	settleTime  = 250 * time.Millisecond // for the looks of one round
)

// settler waits for files to settle and offers those that are ready.
type settler struct {
	cfg        *Config
	limits     limits
	log        *logOnce
	inbox      *inbox
	once       bool
	left       []string // once: files that stay unsent
	candidates candidates
	sent       map[string]sending
	crowd      crowd
	hidden     map[string]outsider // files that cannot be seen, and folders that cannot be read
	offered    *candidate          // front of the ready queue, found fit to be sent
	offeredAt  time.Time           // when it was found so
	listAt     time.Time           // when to list what is not taken; zero: as always
}

// observe takes note of a regular file. Wrote says that an event told of a
// write, which counts as a change even where size and times are too coarse to
// show it. It returns false when there is no room for another candidate.
func (s *settler) observe(rel string, info fs.FileInfo, wrote bool) (room bool) {
	now := time.Now()
	state := stateOf(info)
	if c := s.candidates.byPath[rel]; c != nil {
		if state != c.state || wrote {
			s.changed(c, state, now)
		}
		return true
	}
	before := s.sent[rel]
	sent := before.state == state
	if sent && !wrote && now.Sub(before.at) < min(s.cfg.Rescan/2, resendAfter) {
		return true // too early for Known to know it
	}
	if s.known(rel, info) {
		return true
	}
	c := &candidate{
		path: rel, owner: ownerOf(info), state: state, first: now, added: now, since: now, due: now.Add(s.cfg.Settle),
	}
	if o, ok := s.crowd.files[rel]; ok {
		c.first = o.first
	}
	if s.full() && !s.makeRoom(c.owner, now) {
		s.leaveOut(c)
		return false
	}
	delete(s.crowd.files, rel)
	if sent && !wrote { // it has stood still ever since
		c.since, c.due = before.since, now
	}
	s.candidates.add(c)
	return true
}

// settleDue looks at the candidates that are due, for a bounded time.
func (s *settler) settleDue(now time.Time) {
	for range s.limits.batch {
		c := s.candidates.due(now)
		if c == nil || time.Since(now) > settleTime {
			return
		}
		s.settle(c)
	}
}

// settle decides about a candidate that is due: it is ready, waits on, or is
// gone.
func (s *settler) settle(c *candidate) {
	if _, same := s.lookAgain(c); !same {
		return
	}
	still := time.Since(c.since)
	var err error
	c.found, err = s.cfg.Inspect(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.drop(c)
	case err != nil, c.found == Complete, c.found == Incomplete && (still >= s.cfg.IncompleteAfter || s.isOld(c)):
		s.candidates.ready.put(c)
	default:
		s.waitLonger(c, time.Now())
	}
}

// isOld reports, for RunOnce, which cannot wait, whether c has stood still for long
// by its own times.
func (s *settler) isOld(c *candidate) bool {
	changed := max(c.state.mtime.Nano(), c.state.ctime.Nano())
	return s.once && time.Since(time.Unix(0, changed)) >= s.cfg.IncompleteAfter
}

// lookAgain reports whether c is as it was. A changed one settles again, and one
// that cannot be seen or is no regular file any more is dropped.
func (s *settler) lookAgain(c *candidate) (info fs.FileInfo, same bool) {
	info, err := s.inbox.lstat(c.path)
	switch {
	case err != nil:
		s.unseen(c.path, err)
		s.drop(c)
	case !info.Mode().IsRegular():
		s.drop(c)
	case stateOf(info) != c.state:
		s.changed(c, stateOf(info), time.Now())
	default:
		return info, true
	}
	return nil, false
}

// changed starts the settle time of c again.
func (s *settler) changed(c *candidate, state fileState, now time.Time) {
	if s.gaveUp(c, now) {
		return
	}
	if c == s.offered {
		s.offered = nil
	}
	c.state, c.since = state, now
	s.candidates.wait(c, now.Add(s.cfg.Settle), 0)
}

// waitLonger looks at an unfinished file again after a growing pause: a writer
// that closes the file without a change leaves no trace.
func (s *settler) waitLonger(c *candidate, now time.Time) {
	if s.gaveUp(c, now) {
		return
	}
	if c.pause == 0 {
		s.relist()
	}
	shortest := max(s.cfg.Settle, minPause)
	pause := min(max(2*c.pause, shortest), max(maxPause, shortest))
	due := now.Add(pause)
	if end := c.since.Add(s.cfg.IncompleteAfter); c.found == Incomplete && end.Before(due) {
		due = end
	}
	s.candidates.wait(c, due, pause)
}

// known calls Known. After an error it returns true, as the file is then left for
// the next scan.
func (s *settler) known(rel string, info fs.FileInfo) bool {
	known, err := s.cfg.Known(rel, info)
	if err != nil {
		s.leave(rel)
		s.log.failure("cannot tell which files are known; trying at the next scan", rel, err)
	}
	return known || err != nil
}

// unseen deals with a file that cannot be looked at.
func (s *settler) unseen(rel string, err error) {
	if !isGone(err) {
		s.leave(rel)
		s.hide(rel, path.Dir(rel))
		s.log.failure("cannot see a file; trying at the next scan", rel, err)
	}
}

// gaveUp gives up c when it had its time. That is only for RunOnce.
func (s *settler) gaveUp(c *candidate, now time.Time) bool {
	if !s.once || now.Sub(c.first) < 2*s.cfg.Settle {
		return false
	}
	s.leave(c.path)
	s.drop(c)
	return true
}

// leave notes for RunOnce that the file at rel stays unsent.
func (s *settler) leave(rel string) {
	if s.once {
		s.left = append(s.left, rel)
	}
}

func (s *settler) drop(c *candidate) {
	if c == s.offered {
		s.offered = nil
	}
	if c.listed {
		s.relist()
	}
	s.candidates.remove(c)
}

// dropPath drops the candidate at rel. It returns false when there is none.
func (s *settler) dropPath(rel string) bool {
	c := s.candidates.byPath[rel]
	if c != nil {
		s.drop(c)
	}
	return c != nil
}

// full reports whether there is no room for another candidate.
func (s *settler) full() bool { return s.candidates.len() >= s.limits.candidates }

// unsent returns, for RunOnce, the files that were left and those not sent yet.
func (s *settler) unsent() []string {
	for path := range s.candidates.byPath {
		s.leave(path)
	}
	return s.left
}
