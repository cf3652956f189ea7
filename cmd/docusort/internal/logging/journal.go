package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// ForJournal returns Journal where format is Auto or Text and f is connected to
// the systemd journal, else format. stream is the variable JOURNAL_STREAM, which
// names the device and inode of a service's output. Children inherit the variable
// even where their output goes elsewhere, so f is compared with it; see
// systemd.exec(5).
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

// newJournal returns slog's text without the time, which the journal adds itself,
// and with a priority before each line.
func newJournal(w io.Writer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(priorities{w}, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
				return slog.Attr{}
			}
			return quoteDEL(groups, a)
		},
	})
}

// priorities writes the priority of sd-daemon(3) before each line. It is given
// one line at a time, which begins with its level.
type priorities struct{ w io.Writer }

func (p priorities) Write(line []byte) (int, error) {
	priority := "<7>"
	switch {
	case bytes.HasPrefix(line, []byte("level=ERROR")):
		priority = "<3>"
	case bytes.HasPrefix(line, []byte("level=WARN")):
		priority = "<4>"
	case bytes.HasPrefix(line, []byte("level=INFO")):
		priority = "<6>"
	}
	n, err := p.w.Write(append([]byte(priority), line...))
	return max(0, n-len(priority)), err
}
