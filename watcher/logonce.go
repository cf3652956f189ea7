package watcher

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
)

// logOnce logs each thing once, for as long as full scans still meet it.
type logOnce struct {
	*slog.Logger
	root string
	max  int                          // keys remembered, and so logged, of each message
	scan uint64                       // number of the last full scan begun
	seen map[string]map[string]uint64 // by message and key: the scan that met it last
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
	keys := l.seen[msg]
	if keys == nil {
		keys = make(map[string]uint64)
		l.seen[msg] = keys
	}
	if _, before := keys[key]; !before {
		switch n := len(keys); {
		case n > l.max:
			return
		case n == l.max:
			msg += " (further ones are not named)"
		}
		l.Log(ctx, level, msg, args...)
	}
	keys[key] = l.scan
}

var kinds = map[fs.FileMode]string{
	fs.ModeSymlink: "symbolic link", fs.ModeNamedPipe: "FIFO", fs.ModeSocket: "socket",
	fs.ModeDevice: "device", fs.ModeDevice | fs.ModeCharDevice: "device",
}

// special logs a file that is never opened.
func (l *logOnce) special(rel string, mode fs.FileMode) {
	kind := cmp.Or(kinds[mode.Type()], "irregular file")
	l.path(slog.LevelInfo, "left alone: not a regular file", rel, "kind", kind)
}

// forget forgets what the full scan that just ended did not meet.
func (l *logOnce) forget() {
	for _, keys := range l.seen {
		maps.DeleteFunc(keys, func(_ string, scan uint64) bool { return scan != l.scan })
	}
}

func (l *logOnce) at(rel string) slog.Attr { return slog.String("path", l.abs(rel)) }

// abs returns the path of a file or folder of the inbox as the system knows it,
// and as fsnotify names it in its events.
func (l *logOnce) abs(rel string) string {
	if rel == "" {
		return l.root
	}
	return l.root + "/" + rel
}
