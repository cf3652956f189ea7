package watcher

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// scan is a walk through the inbox, or through some folders of it, that can
// stop anywhere and go on later. It keeps the names of folders still to be
// read and at most two folders open.
type scan struct {
	full  bool   // the whole inbox: what it does not meet is not there
	gen   uint64 // number of the last full scan begun
	todo  []string
	spent time.Duration

	above   *os.Root // the folder that the newest ones were entered from; nil: the inbox, or none
	aboveOf string   // its path
	dir     string   // the folder being read
	sub     *os.Root
	file    *os.File // nil: none is
	batch   []fs.DirEntry
	noRoom  bool // stopped at batch[0] until there is room for a candidate
}

func (s *scan) active() bool { return s.full || s.file != nil || len(s.todo) > 0 }

// stop gives up the walk, keeping its number.
func (s *scan) stop() {
	s.todo = nil
	s.closeFolder()
	s.closeAbove()
	*s = scan{gen: s.gen}
}

// beginScan starts a full scan. A scan of single folders under way is part of
// it from now on.
func (l *loop) beginScan() {
	l.again = false
	l.scan.stop()
	l.scan.full = true
	l.scan.gen++
	l.scan.todo = []string{""}
	l.asked = false
	clear(l.devices)
	l.openNotifier()
}

// scanFolder has a folder scanned that an event told of.
func (l *loop) scanFolder(rel string) {
	if !l.cfg.Recursive || l.once {
		return
	}
	if l.scan.noRoom || len(l.scan.todo) >= l.limits.hints {
		l.again = true // do not let the list grow while nothing is read
		return
	}
	l.scan.todo = append(l.scan.todo, rel)
}

func (l *loop) scanCanGoOn() bool {
	return l.scan.active() && !(l.scan.noRoom && l.cands.len() >= l.limits.candidates)
}

// scanSome goes on with the scan, if there is one, for a bounded time.
func (l *loop) scanSome() {
	if !l.scanCanGoOn() {
		return
	}
	began := time.Now()
	for range l.limits.batch {
		if !l.scanStep() {
			break
		}
	}
	l.scan.spent += time.Since(began)
	if l.present && l.scan.file == nil && len(l.scan.todo) == 0 {
		l.endScan()
	}
}

// scanStep opens a folder, reads from it, or looks at one entry. It returns
// false when the scan cannot go on now.
func (l *loop) scanStep() bool {
	s := &l.scan
	switch {
	case s.file == nil && len(s.todo) == 0:
		return false
	case s.file == nil:
		last := len(s.todo) - 1
		dir := s.todo[last]
		s.todo = s.todo[:last]
		l.enter(dir)
	case len(s.batch) == 0:
		var err error
		s.batch, err = s.file.ReadDir(l.limits.batch)
		if len(s.batch) > 0 {
			return true
		}
		if err != nil && !errors.Is(err, io.EOF) {
			l.unreadable(s.dir, err)
		}
		s.closeFolder()
	default:
		if !l.entry(s.batch[0]) {
			s.noRoom = true
			if s.full {
				l.markReady()
			}
			return false
		}
		s.noRoom = false
		s.batch = s.batch[1:]
	}
	return true
}

// enter watches a folder and then opens it for reading: in this order, what is
// put there meanwhile is seen by one or the other.
func (l *loop) enter(dir string) {
	for range 3 {
		err := l.tryEnter(dir)
		if !errors.Is(err, errReplaced) {
			if err != nil {
				l.unreadable(dir, err)
			}
			return
		}
		l.forgetTree(dir) // the watch may be on what it was, or on a link's target
	}
	l.unreadable(dir, errReplaced)
}

var errReplaced = errors.New("it was replaced while it was opened")

func (l *loop) tryEnter(dir string) error {
	above, err := l.openAbove(dir)
	if err != nil {
		return err
	}
	name := path.Base(path.Join(".", dir))
	info, err := above.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return nil
	}
	id := identityOf(info)
	if dir == "" {
		l.rootID = id // if it was replaced just now, this scan is of the new one
	}
	l.arm(dir, id)
	sub, err := above.OpenRoot(name)
	if err != nil {
		return err
	}
	file, err := sub.Open(".")
	if err != nil {
		sub.Close()
		return err
	}
	l.scan.dir, l.scan.sub, l.scan.file = dir, sub, file
	if info, err = file.Stat(); err == nil && identityOf(info) != id {
		err = errReplaced
	}
	if err != nil {
		l.scan.dropFolder()
	}
	return err
}

// entry looks at one name of the folder being read. It returns false when the
// file there has to wait for room.
func (l *loop) entry(e fs.DirEntry) bool {
	name := e.Name()
	rel := path.Join(l.scan.dir, name)
	switch {
	case Matches(l.cfg.Ignore, name):
		l.noteIgnored(rel)
	case e.IsDir():
		if l.cfg.Recursive {
			l.scan.todo = append(l.scan.todo, rel)
		}
	case !e.Type().IsRegular():
		l.noteSpecial(rel, e.Type())
	default:
		info, err := l.scan.sub.Lstat(name)
		if err != nil {
			if !gone(err) {
				l.leave(rel)
				l.logChanged("cannot see a file; trying at the next scan", rel, err)
			}
			return true
		}
		if info.Mode().IsRegular() {
			return l.observe(rel, info, false)
		}
	}
	return true
}

// endScan draws the conclusions that only a whole scan allows.
func (l *loop) endScan() {
	full, spent := l.scan.full, l.scan.spent
	l.scan.stop()
	if !full {
		return
	}
	l.took = spent
	l.sweepFolders()
	l.sweepLogged()
	l.granted()
	now := time.Now()
	l.nextScan = now.Add(l.interval())
	l.notBefore = now.Add(l.took)
	l.markReady()
}

// interval is the time to the next full scan. Without the watches that it
// should have, the inbox is scanned more often, but never for more than about
// a tenth of the time.
func (l *loop) interval() time.Duration {
	if !l.denied {
		return l.cfg.Rescan
	}
	return min(l.cfg.Rescan, max(deniedRescan, 10*l.took))
}

// unreadable deals with a folder that cannot be read. One that is gone is no
// trouble; the inbox itself is looked for again at once.
func (l *loop) unreadable(dir string, err error) {
	switch {
	case gone(err) && dir == "":
		l.scan.stop()
		l.present, l.nextRoot = false, time.Time{}
	case gone(err):
	case l.once && dir == "":
		l.fatal = fmt.Errorf("inbox: %w", err)
	default:
		l.noteUnreadable(dir, err)
	}
}
