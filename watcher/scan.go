package watcher

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"time"
)

// scan is a walk through the inbox, or through some folders of it, that can
// stop anywhere and go on later. It keeps the names of folders still to be
// read and one folder open.
type scan struct {
	full    bool     // the whole inbox: what it does not meet is not there
	todo    []string // folders to be read
	dir     string   // the folder being read
	folder  *os.File // the same, open; nil: none
	entries []fs.DirEntry
	noRoom  bool // stopped at entries[0] until there is room for a candidate
	spent   time.Duration
}

func (s *scan) active() bool { return s.full || !s.complete() }

func (s *scan) complete() bool { return s.folder == nil && len(s.todo) == 0 }

// stop gives up the walk.
func (s *scan) stop() {
	s.closeFolder()
	*s = scan{}
}

func (s *scan) closeFolder() {
	if s.folder != nil {
		s.folder.Close()
	}
	s.folder, s.entries, s.noRoom = nil, nil, false
}

// next returns the next entry of the folder being read, or nil at its end.
func (s *scan) next(batch int) (fs.DirEntry, error) {
	if len(s.entries) == 0 {
		entries, err := s.folder.ReadDir(batch)
		if len(entries) == 0 && errors.Is(err, io.EOF) {
			return nil, nil
		}
		if len(entries) == 0 {
			return nil, err
		}
		s.entries = entries
	}
	return s.entries[0], nil
}

// beginScan starts a full scan. It replaces any scan under way.
func (l *loop) beginScan() {
	l.schedule.again = false
	l.scan.stop()
	l.scan.full, l.scan.todo = true, []string{""}
	l.log.scan++
	l.watches.begin()
}

// scanFolder has a folder scanned that an event told of.
func (l *loop) scanFolder(rel string) {
	if !l.cfg.Recursive {
		return
	}
	if l.scan.noRoom || len(l.scan.todo) >= l.limits.hints {
		l.schedule.again = true // the list must not grow while nothing is read
		return
	}
	l.scan.todo = append(l.scan.todo, rel)
}

// canScan reports whether there is a scan that can go on now.
func (l *loop) canScan() bool {
	return l.scan.active() && !(l.scan.noRoom && l.files.full())
}

// scanSome goes on with the scan, if there is one, for a bounded time.
func (l *loop) scanSome() error {
	if !l.canScan() {
		return nil
	}
	began := time.Now()
	for range l.limits.batch {
		if more, err := l.scanStep(); err != nil {
			return err
		} else if !more {
			break
		}
	}
	l.scan.spent += time.Since(began)
	if l.scan.complete() {
		l.endScan()
	}
	return nil
}

// scanStep opens a folder, or looks at one entry of the open one. It returns
// false when the scan cannot go on now.
func (l *loop) scanStep() (more bool, err error) {
	s := &l.scan
	if s.complete() {
		return false, nil
	}
	if s.folder == nil {
		dir := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		return true, l.unreadable(dir, l.enter(dir))
	}
	entry, err := s.next(l.limits.batch)
	if entry == nil {
		dir := s.dir
		s.closeFolder()
		return true, l.unreadable(dir, err)
	}
	if s.noRoom = !l.scanEntry(entry); s.noRoom {
		if s.full {
			l.markReady()
		}
		return false, nil
	}
	s.entries = s.entries[1:]
	return true, nil
}

// enter opens a folder and watches it before it is read: what is put there
// meanwhile is seen by one or the other.
func (l *loop) enter(dir string) error {
	folder, err := l.inbox.folder(dir)
	if err != nil {
		return err
	}
	info, err := folder.Stat()
	if err == nil {
		id := identityOf(info)
		if dir == "" {
			l.inbox.id = id
		}
		l.noteFilesystem(dir, id.dev)
		err = l.watches.watch(dir, id)
	}
	if err != nil {
		folder.Close()
		return err
	}
	l.scan.dir, l.scan.folder = dir, folder
	return nil
}

// scanEntry looks at one name of the folder being read. It returns false when
// the file there has to wait for room.
func (l *loop) scanEntry(e fs.DirEntry) (room bool) {
	rel := path.Join(l.scan.dir, e.Name())
	switch {
	case ignored(l.cfg.Ignore, e.Name()):
		l.log.path(slog.LevelDebug, "left alone: its name matches an ignore pattern", rel)
	case e.IsDir():
		if l.cfg.Recursive {
			l.scan.todo = append(l.scan.todo, rel)
		}
	case !e.Type().IsRegular():
		l.log.special(rel, e.Type())
	default:
		info, err := lstat(l.scan.folder, e.Name())
		if err != nil {
			l.files.unseen(rel, err)
		} else if info.Mode().IsRegular() {
			return l.files.observe(rel, info, false)
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
	l.watches.end()
	l.log.forget()
	l.schedule.ended(time.Now(), spent)
	l.markReady()
}

// unreadable deals with the error of reading a folder, if there is one. It
// returns an error only where RunOnce cannot read the inbox itself. A folder
// that is gone is no trouble; the inbox is checked again at once.
func (l *loop) unreadable(dir string, err error) error {
	replaced := errors.Is(err, errReplaced)
	switch {
	case err == nil:
	case dir == "" && (replaced || isGone(err)):
		l.scan.stop()
		l.inbox.present, l.inbox.nextCheck = false, time.Time{}
	case dir == "" && l.once:
		return fmt.Errorf("inbox: %w", err)
	case replaced:
		l.schedule.again = true
	case !isGone(err):
		l.log.path(slog.LevelWarn, "cannot read a folder; trying at each scan", dir, "err", err)
	}
	return nil
}

// noteFilesystem logs once for each filesystem in the inbox that only scans
// see all that happens there.
func (l *loop) noteFilesystem(dir string, dev uint64) {
	if l.cfg.Mode == Poll || l.once || l.filesystems[dev] {
		return
	}
	l.filesystems[dev] = true
	name := l.filesystem(l.log.abs(dir))
	if name == "" {
		return
	}
	level := slog.LevelInfo
	if l.cfg.Mode == Inotify {
		level = slog.LevelWarn
	}
	l.log.path(level, "changes made elsewhere bring no events on this filesystem; scanning for them", dir,
		"filesystem", name, "every", l.cfg.Rescan)
}
