package watcher

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// hint looks at what an event told of, and at nothing else.
func (l *loop) hint(name string, op fsnotify.Op) {
	if name == l.cfg.Root {
		l.again = true // the scan finds out whether it is still there
		return
	}
	rel, ok := strings.CutPrefix(name, l.cfg.Root+"/")
	if !ok || l.ignored(rel) || !l.cfg.Recursive && strings.Contains(rel, "/") {
		return
	}
	switch {
	case op.Has(fsnotify.Rename):
		l.forgetTree(rel)
	case op.Has(fsnotify.Remove):
		l.forgetFolder(rel) // it was empty
	}
	if op&^(fsnotify.Rename|fsnotify.Remove) == 0 && l.cands.byPath[rel] == nil {
		return // it went away, most often because it was filed, and nothing is known of it
	}
	l.look(rel, op.Has(fsnotify.Write))
}

// look sees what is at rel. Wrote says that an event told of a write, which
// counts as a change even where size and times are too coarse to show it.
func (l *loop) look(rel string, wrote bool) {
	info, err := l.lstat(rel)
	switch {
	case err != nil:
		if c := l.cands.byPath[rel]; c != nil {
			l.putOff(c, err)
		}
	case info.IsDir():
		l.drop(rel)
		l.scanFolder(rel)
	case info.Mode().IsRegular():
		if !l.observe(rel, info, wrote) {
			l.again = true
		}
	default:
		l.drop(rel)
		l.noteSpecial(rel, info.Mode())
	}
}

// observe takes note of a regular file. It returns false when there is no room
// for another candidate.
func (l *loop) observe(rel string, info fs.FileInfo, wrote bool) (room bool) {
	now := time.Now()
	s := shapeOf(info)
	if c := l.cands.byPath[rel]; c != nil {
		if s != c.shape || wrote {
			l.changed(c, s, now)
		}
		return true
	}
	before, sent := l.sent.get(rel, s)
	if sent && !wrote && now.Sub(before.at) < min(l.cfg.Rescan/2, resendAfter) {
		return true // on its way: too early for Known to know it
	}
	switch known, err := l.known(rel, info); {
	case err != nil:
		l.leave(rel)
		return true
	case known:
		return true
	case l.cands.len() >= l.limits.candidates:
		return false
	}
	l.cands.add(rel, s, now, now.Add(l.cfg.Settle))
	c := l.cands.byPath[rel]
	c.sent = sent
	if sent && !wrote { // it has stood still ever since
		c.since = before.since
		l.cands.wait(c, now, 0)
	}
	return true
}

// settleDue looks at the candidates that are due, a bounded number of them.
func (l *loop) settleDue(now time.Time) {
	for range l.limits.batch {
		c := l.cands.due.first()
		if c == nil || c.due.After(now) {
			return
		}
		l.settle(c)
	}
}

// settle decides about a candidate whose time has come: it is ready, it waits
// on, or it is gone.
func (l *loop) settle(c *candidate) {
	if !l.unchanged(c) {
		return
	}
	now := time.Now()
	if still := now.Sub(c.since); still < l.cfg.Settle {
		l.cands.wait(c, c.since.Add(l.cfg.Settle), 0)
		return
	}
	cond, err := l.cfg.Inspect(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		l.dropCandidate(c)
		return
	}
	if err != nil {
		cond = Complete // whoever receives it says why it cannot be read
	}
	if cond == Incomplete && now.Sub(c.since) >= l.cfg.IncompleteAfter {
		cond = Complete
	}
	if cond == Complete {
		l.cands.makeReady(c)
		return
	}
	l.waitLonger(c, cond, now)
}

// unchanged looks at c once more. When it is not as it was, it is treated as
// changed, dropped or put off, and the answer is false.
func (l *loop) unchanged(c *candidate) bool {
	info, err := l.lstat(c.path)
	switch {
	case err != nil:
		l.putOff(c, err)
	case !info.Mode().IsRegular():
		l.dropCandidate(c)
		l.look(c.path, false)
	case shapeOf(info) != c.shape:
		l.changed(c, shapeOf(info), time.Now())
	default:
		return true
	}
	return false
}

// changed starts the settle time of c again.
func (l *loop) changed(c *candidate, s shape, now time.Time) {
	if l.once && now.Sub(c.first) >= 2*l.cfg.Settle {
		l.giveUp(c)
		return
	}
	if c == l.offered {
		l.offered = nil
	}
	c.shape, c.since = s, now
	l.cands.wait(c, now.Add(l.cfg.Settle), 0)
}

// waitLonger looks at an unfinished file again after a growing pause. Not
// every change of condition shows in the file's shape: a writer that closes it
// leaves no trace.
func (l *loop) waitLonger(c *candidate, cond Condition, now time.Time) {
	if l.once && now.Sub(c.first) >= 2*l.cfg.Settle {
		l.giveUp(c)
		return
	}
	if c.pause == 0 && l.cands.stuck >= l.limits.candidates/2 {
		// Room must remain for files that do settle. This one is found again
		// by a later scan.
		l.noteCrowd()
		l.dropCandidate(c)
		return
	}
	shortest := max(l.cfg.Settle, minPause)
	pause := min(max(2*c.pause, shortest), max(maxPause, shortest))
	due := now.Add(pause)
	if whole := c.since.Add(l.cfg.IncompleteAfter); cond == Incomplete && whole.Before(due) {
		due = whole
	}
	l.cands.wait(c, due, pause)
}

// offer returns the channel to send on and the path to send, or nil when no
// file is ready. What is offered was looked at when its turn came, as it may
// have waited for long, and is looked at again while the reader stalls.
func (l *loop) offer() (chan<- string, string) {
	for range l.limits.batch {
		c := l.cands.ready.first()
		if c == nil {
			return nil, ""
		}
		if c == l.offered && time.Since(l.offeredAt) < offerCheck {
			return l.cfg.Files, c.path
		}
		if l.fitToSend(c) {
			l.offered, l.offeredAt = c, time.Now()
			return l.cfg.Files, c.path
		}
	}
	return nil, ""
}

// sendMore sends what else is ready while readers wait for it, a bounded number:
// for each file in a turn of its own the inbox would be opened anew.
func (l *loop) sendMore() {
	defer l.release()
	for range l.limits.batch {
		out, path := l.offer()
		select {
		case out <- path: // never, where nothing is ready
			l.delivered()
		default:
			return
		}
	}
}

// fitToSend looks at c for the last time. That comes after Inspect, because
// looking inside may have taken a while, and opening a file is what makes a
// network filesystem ask its server for the present size.
func (l *loop) fitToSend(c *candidate) bool {
	info, err := l.lstat(c.path)
	if err != nil || !info.Mode().IsRegular() || shapeOf(info) != c.shape {
		l.unchanged(c)
		return false
	}
	if !c.sent {
		return true // nobody can have come to know it since Known was asked
	}
	known, err := l.known(c.path, info)
	if err != nil {
		l.leave(c.path)
	}
	if known || err != nil {
		l.dropCandidate(c)
		return false
	}
	return true
}

// delivered forgets the file that was just received: from now on Known answers
// for it.
func (l *loop) delivered() {
	c := l.offered
	l.log.Debug("file settled", quoted(c.path), "size", c.shape.size)
	l.sent.add(c.path, sending{shape: c.shape, since: c.since, at: time.Now()})
	l.dropCandidate(c)
}

// known asks Known and logs its errors when they change.
func (l *loop) known(rel string, info fs.FileInfo) (bool, error) {
	known, err := l.cfg.Known(rel, info)
	l.logChanged("cannot tell which files are known; trying at the next scan", rel, err)
	return known, err
}

func (l *loop) dropCandidate(c *candidate) {
	if c == l.offered {
		l.offered = nil
	}
	l.cands.remove(c)
}

func (l *loop) drop(rel string) {
	if c := l.cands.byPath[rel]; c != nil {
		l.dropCandidate(c)
	}
}

// giveUp is for RunOnce: c had its time.
func (l *loop) giveUp(c *candidate) {
	l.leave(c.path)
	l.dropCandidate(c)
}

// leave is for RunOnce: the file at rel stays unsent.
func (l *loop) leave(rel string) {
	if l.once {
		l.left = append(l.left, rel)
	}
}

// putOff drops a candidate that cannot be seen. If that is not because it is
// gone, a later scan tries again.
func (l *loop) putOff(c *candidate, err error) {
	if !gone(err) {
		l.leave(c.path)
		l.logChanged("cannot see a file; trying at the next scan", c.path, err)
	}
	l.dropCandidate(c)
}
