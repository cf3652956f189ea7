package watcher

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
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

// maxDepth bounds a folder's path in the inbox, in bytes: to open it takes a step for each
// part, and so a tree that is deep enough would take for ever. PATH_MAX is half of it.
const maxDepth = 8192

func (s *scan) active() bool { return s.folder != nil || len(s.todo) > 0 }

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
	mayFindRoom := !l.files.full() || !l.once && !time.Now().Before(l.files.crowd.before)
	return l.scan.active() && (!l.scan.noRoom || mayFindRoom)
}

// scanSome goes on with the scan for a bounded number of steps.
func (l *loop) scanSome() error {
	began := time.Now()
	for range l.limits.batch {
		if !l.canScan() {
			break
		}
		if err := l.scanStep(); err != nil {
			return err
		}
	}
	l.scan.spent += time.Since(began)
	if l.scan.full && !l.scan.active() {
		l.endScan()
	}
	return nil
}

// scanStep opens a folder, or looks at one entry of the open one.
func (l *loop) scanStep() (err error) {
	s := &l.scan
	if s.folder == nil {
		dir := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		return l.unreadable(dir, l.enter(dir))
	}
	if len(s.entries) == 0 {
		if s.entries, err = s.folder.ReadDir(l.limits.batch); len(s.entries) == 0 {
			s.closeFolder()
			return l.unreadable(s.dir, err)
		}
	}
	if s.noRoom = !l.scanEntry(s.entries[0]); !s.noRoom {
		s.entries = s.entries[1:]
	} else if s.full {
		l.markReady()
	}
	return nil
}

// enter opens a folder and watches it before it is read: what is put there
// meanwhile is seen by one or the other. If the folder is replaced in between, the
// watch of its parent reports that.
func (l *loop) enter(dir string) error {
	folder, err := l.inbox.folder(dir)
	if err != nil {
		return err
	}
	info, err := folder.Stat()
	if err != nil {
		folder.Close()
		return err
	}
	id := identityOf(info)
	if dir == "" {
		l.inbox.id = id
		l.noteFilesystem()
	} else if l.isApart(info) {
		l.log.path(slog.LevelWarn, "left alone: a folder of docusort's own is mounted here", dir)
		return folder.Close()
	}
	l.watches.watch(dir, id)
	l.scan.dir, l.scan.folder = dir, folder
	return nil
}

func (l *loop) isApart(folder fs.FileInfo) bool {
	return slices.ContainsFunc(l.cfg.Apart, func(apart string) bool {
		info, err := os.Stat(apart)
		return err == nil && os.SameFile(folder, info)
	})
}

// scanEntry looks at one name of the folder being read. It returns false when
// the file there has to wait for room.
func (l *loop) scanEntry(e fs.DirEntry) (room bool) {
	rel := path.Join(l.scan.dir, e.Name())
	switch {
	case ignored(l.cfg.Ignore, e.Name()):
		l.log.path(slog.LevelDebug, "left alone: its name matches an ignore pattern", rel)
	case e.IsDir() && len(rel) > maxDepth:
		top, _, _ := strings.Cut(rel, "/")
		l.log.path(slog.LevelWarn, "left alone: a path in it is too long", top, "bytes", len(rel))
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

// endScan draws the conclusions that only a full scan allows.
func (l *loop) endScan() {
	l.schedule.took, l.schedule.end = l.scan.spent, time.Now()
	l.scan.stop()
	l.watches.end()
	l.log.forget()
	notMet := func(_ string, o outsider) bool { return o.scan != l.log.scan }
	maps.DeleteFunc(l.files.crowd.files, notMet)
	maps.DeleteFunc(l.files.hidden, notMet)
	l.markReady()
}

// unreadable deals with the error of reading a folder, if it is one. It
// returns an error only where RunOnce cannot read the inbox itself. A folder
// that is gone is no trouble; the inbox is checked again at once.
func (l *loop) unreadable(dir string, err error) error {
	switch {
	case err == nil, err == io.EOF:
	case isGone(err) && dir == "":
		l.scan.stop()
		l.inbox.present, l.inbox.nextCheck = false, time.Time{}
	case isGone(err):
	case l.once && dir == "":
		return fmt.Errorf("inbox: %w", err)
	default:
		if dir == "" {
			l.noteChange() // a person is told of the inbox itself at once
		} else {
			l.files.leave(dir + "/")
			l.files.hide(dir+"/", dir)
		}
		l.log.path(slog.LevelWarn, "cannot read a folder; trying at each scan", dir, "err", err)
	}
	return nil
}

// noteFilesystem logs once where only scans see all that happens in the inbox.
func (l *loop) noteFilesystem() {
	name := l.filesystem(l.cfg.Root)
	if name == "" || l.cfg.Mode == Poll || l.once {
		return
	}
	level := slog.LevelInfo
	if l.cfg.Mode == Inotify {
		level = slog.LevelWarn
	}
	l.log.path(level, "changes made elsewhere bring no events on this filesystem; scanning for them", "",
		"filesystem", name, "every", l.cfg.Rescan)
}
