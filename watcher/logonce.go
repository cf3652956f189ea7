package watcher

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
)

// logOnce logs each thing once, for as long as full scans still meet it.
type logOnce struct {
	*slog.Logger
	root string
	max  int                // keys remembered of each message
	scan uint64             // number of the last full scan begun
	seen map[string]*logged // by message
}

// logged is what was logged with one message.
type logged struct {
	keys map[string]uint64 // the scan that met it last
	full bool              // it was logged that there are more than max
}

func newLogOnce(log *slog.Logger, root string, max int) *logOnce {
	return &logOnce{Logger: log, root: root, max: max, seen: make(map[string]*logged)}
}

// path logs something about a file or folder.
func (l *logOnce) path(level slog.Level, msg, rel string, args ...any) {
	l.once(level, msg, rel, append([]any{l.at(rel)}, args...)...)
}

// failure logs an error that concerns many files alike, once for each cause.
func (l *logOnce) failure(msg, rel string, err error) {
	key := err.Error()
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		key = pe.Err.Error() // the path differs from file to file
	}
	l.once(slog.LevelWarn, msg, key, l.at(rel), "err", err)
}

func (l *logOnce) once(level slog.Level, msg, key string, args ...any) {
	ctx := context.Background()
	if !l.Enabled(ctx, level) {
		return
	}
	met := l.seen[msg]
	if met == nil {
		met = &logged{keys: make(map[string]uint64)}
		l.seen[msg] = met
	}
	_, before := met.keys[key]
	switch {
	case before:
		met.keys[key] = l.scan
	case len(met.keys) < l.max:
		met.keys[key] = l.scan
		l.Log(ctx, level, msg, args...)
	case !met.full:
		met.full = true
		l.Log(ctx, level, msg+" (further ones are not named)", "named", l.max)
	}
}

// special logs a file that is never opened.
func (l *logOnce) special(rel string, mode fs.FileMode) {
	kind := "irregular file"
	switch {
	case mode&fs.ModeSymlink != 0:
		kind = "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		kind = "FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	case mode&fs.ModeDevice != 0:
		kind = "device"
	}
	l.path(slog.LevelInfo, "left alone: not a regular file", rel, "kind", kind)
}

// forget forgets what the full scan that just ended did not meet.
func (l *logOnce) forget() {
	for _, met := range l.seen {
		for key, scan := range met.keys {
			if scan != l.scan {
				delete(met.keys, key)
			}
		}
		met.full = met.full && len(met.keys) >= l.max
	}
}

// at is the attribute for a path, made so that whatever bytes are in it stay on
// one line.
func (l *logOnce) at(rel string) slog.Attr {
	path := l.abs(rel)
	q := strconv.Quote(path)
	if q[1:len(q)-1] == path {
		q = path // the handler quotes blanks by itself
	}
	return slog.String("path", q)
}

// abs returns the path of a file or folder of the inbox as the system knows it,
// and as fsnotify names it in its events.
func (l *logOnce) abs(rel string) string {
	if rel == "" {
		return l.root
	}
	return l.root + "/" + rel
}
