package watcher

import (
	"errors"
	"path"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// takeEvents keeps what events tell of until the next round: ev, and those that
// wait behind it, up to a limit.
func (l *loop) takeEvents(ev fsnotify.Event, ok bool) {
	for n := 1; ok; n++ {
		l.hints[ev.Name] |= ev.Op
		if n == l.limits.hints {
			return
		}
		select {
		case ev, ok = <-l.watches.events:
		default:
			return
		}
	}
	l.takeError(nil, false)
}

// takeError has everything scanned: whatever the error was, events may be missing.
// It is not ok when inotify ended by itself.
func (l *loop) takeError(err error, ok bool) {
	l.schedule.again = true
	if !ok {
		l.watches.close()
		l.watches.watchFailed("", errors.New("inotify ended by itself"))
	} else if !errors.Is(err, fsnotify.ErrEventOverflow) {
		l.log.Warn("inotify reports an error; scanning the whole inbox", "err", err)
	}
}

// lookAtHints looks at what events told of.
func (l *loop) lookAtHints() {
	for name, op := range l.hints {
		if name == l.cfg.Root {
			l.schedule.again = true // the scan finds out whether it is still there
		} else if rel, ok := strings.CutPrefix(name, l.cfg.Root+"/"); ok {
			l.lookAtHint(rel, op)
		}
	}
	clear(l.hints)
}

func (l *loop) lookAtHint(rel string, op fsnotify.Op) {
	if ignored(l.cfg.Ignore, path.Base(rel)) || strings.Contains(rel, "/") && !l.cfg.Recursive {
		return
	}
	if op.Has(fsnotify.Remove) || op.Has(fsnotify.Rename) {
		l.watches.forgetTree(rel)
	}
	info, err := l.inbox.lstat(rel)
	switch {
	case err != nil:
		if l.files.dropPath(rel) {
			l.files.unseen(rel, err)
		}
	case info.IsDir():
		l.files.dropPath(rel)
		l.scanFolder(rel)
	case info.Mode().IsRegular():
		if room := l.files.observe(rel, info, op.Has(fsnotify.Write)); !room {
			l.schedule.again = true
		}
	default:
		l.files.dropPath(rel)
		l.log.special(rel, info.Mode())
	}
}
