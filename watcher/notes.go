package watcher

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
)

// notes remembers what was logged, so that it is logged once, for as long as
// full scans still meet it.
type notes struct {
	max  int
	seen map[string]map[string]uint64 // by kind and path: the scan that met it last
	full map[string]bool              // kinds with more than max paths
}

// met reports whether path is to be logged as of this kind now, and whether
// this is the first time that there is no room to remember another.
func (n *notes) met(kind, path string, gen uint64) (first, overflow bool) {
	paths := n.seen[kind]
	if _, ok := paths[path]; ok {
		paths[path] = gen
		return false, false
	}
	if len(paths) >= n.max {
		overflow = !n.full[kind]
		n.full[kind] = true
		return false, overflow
	}
	if paths == nil {
		if n.seen == nil {
			n.seen, n.full = make(map[string]map[string]uint64), make(map[string]bool)
		}
		paths = make(map[string]uint64)
		n.seen[kind] = paths
	}
	paths[path] = gen
	return true, false
}

// sweep forgets what the full scan gen did not meet.
func (n *notes) sweep(gen uint64) {
	for kind, paths := range n.seen {
		for p, met := range paths {
			if met != gen {
				delete(paths, p)
			}
		}
		n.full[kind] = n.full[kind] && len(paths) >= n.max
	}
}

// note logs something about a path once.
func (l *loop) note(level slog.Level, kind, rel string, args ...any) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	first, overflow := l.notes.met(kind, rel, l.scan.gen)
	if first {
		l.log.Log(context.Background(), level, kind, append([]any{quoted(l.abs(rel))}, args...)...)
	}
	if overflow {
		l.log.Log(context.Background(), level, kind+" (further ones are not named)", "named", l.notes.max)
	}
}

func (l *loop) noteIgnored(rel string) {
	l.note(slog.LevelDebug, "left alone: its name matches an ignore pattern", rel)
}

func (l *loop) noteSpecial(rel string, mode fs.FileMode) {
	what := "irregular file"
	switch {
	case mode&fs.ModeSymlink != 0:
		what = "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		what = "FIFO"
	case mode&fs.ModeSocket != 0:
		what = "socket"
	case mode&fs.ModeDevice != 0:
		what = "device"
	}
	l.note(slog.LevelInfo, "left alone: not a regular file", rel, "kind", what)
}

func (l *loop) noteUnreadable(rel string, err error) {
	l.note(slog.LevelWarn, "cannot read a folder; trying at each scan", rel, "err", err)
}

func (l *loop) noteCrowd() {
	l.note(slog.LevelWarn, "too many unfinished files; some are looked at only by scans", "",
		"limit", l.limits.candidates/2)
}

// lastError is what was logged last of a kind of error that concerns many
// files alike, and the scan that met it last.
type lastError struct {
	text string
	gen  uint64
}

// logChanged logs such an error when it is not the one logged last. A whole
// scan without it, and it would be logged anew.
func (l *loop) logChanged(msg, rel string, err error) {
	if err == nil {
		return
	}
	now := lastError{cause(err), l.scan.gen}
	if l.logged[msg].text != now.text {
		l.log.Warn(msg, quoted(l.abs(rel)), "err", err)
	}
	l.logged[msg] = now
}

// sweepLogged forgets what the full scan that just ended did not meet.
func (l *loop) sweepLogged() {
	l.notes.sweep(l.scan.gen)
	for msg, last := range l.logged {
		if last.gen != l.scan.gen {
			delete(l.logged, msg)
		}
	}
}

// cause is the text of err without the path, which differs from file to file.
func cause(err error) string {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// quoted logs a path so that whatever bytes are in it stay on one line.
func quoted(path string) slog.Attr {
	q := strconv.Quote(path)
	if q[1:len(q)-1] == path {
		q = path // the handler quotes blanks by itself
	}
	return slog.String("path", q)
}
