package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

// ForJournal returns Journal where format is Auto or Text and f is connected to
// the systemd journal, else format. stream is the variable JOURNAL_STREAM,
// with which systemd tells a service the device and inode of its outputs; it is
// compared because children inherit the variable even where their output goes
// elsewhere (see systemd.exec(5)).
func ForJournal(format string, f *os.File, stream string) string {
	if format != Auto && format != Text || stream == "" {
		return format
	}
	info, err := f.Stat()
	if err != nil {
		return format
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || fmt.Sprintf("%d:%d", st.Dev, st.Ino) != stream {
		return format
	}
	return Journal
}

// journal is slog's text with the priority of sd-daemon(3) before each line and
// without the time, which the journal knows better.
type journal struct {
	slog.Handler
	out *prefixed // shared by all that derive from one
}

// prefixed writes prefix and what it is given in one go.
type prefixed struct {
	mu     sync.Mutex
	w      io.Writer
	prefix string
}

// Write is called by the text handler once a record, under mu.
func (p *prefixed) Write(b []byte) (int, error) {
	n, err := p.w.Write(append([]byte(p.prefix), b...))
	return max(0, n-len(p.prefix)), err
}

func newJournal(w io.Writer, level slog.Level) *journal {
	out := &prefixed{w: w}
	return &journal{out: out, Handler: slog.NewTextHandler(out, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
				return slog.Attr{}
			}
			return quoteDEL(groups, a)
		},
	})}
}

// Handle writes one record.
func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.out.mu.Lock()
	defer j.out.mu.Unlock()
	j.out.prefix = priority(r.Level)
	return j.Handler.Handle(ctx, r)
}

// WithAttrs keeps the priorities.
func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journal{j.Handler.WithAttrs(attrs), j.out}
}

// WithGroup keeps the priorities.
func (j *journal) WithGroup(name string) slog.Handler {
	return &journal{j.Handler.WithGroup(name), j.out}
}

// priority is the syslog priority in front of a line: error, warning, info or
// debug.
func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	case level >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}
