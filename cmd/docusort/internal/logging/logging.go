package logging

import (
	"bytes"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lmittmann/tint"
)

// The formats of New. Users choose from the first three; [ForJournal] chooses
// Journal.
const (
	Auto    = "auto"
	Text    = "text"
	JSON    = "json"
	Journal = "journal"
)

// New returns a logger that writes events of level and above to w, one write per
// line. Auto means tint where w is a terminal, in colour unless noColor, and Text
// elsewhere.
func New(w io.Writer, format string, level slog.Level, isTerminal, noColor bool) *slog.Logger {
	switch {
	case format == JSON:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: validUTF8}))
	case format == Journal:
		return slog.New(newJournal(w, level))
	case format == Text || !isTerminal:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: harmless}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{
		Level: level, NoColor: noColor, TimeFormat: time.TimeOnly, ReplaceAttr: harmless,
	}))
}

// harmless makes bytes of text that would act on a terminal, because tint and slog always
// quote those. In strings, slog keeps a DEL; tint keeps escape sequences when it colours
// and drops them when it does not, and in the message it keeps everything.
func harmless(groups []string, a slog.Attr) slog.Attr {
	text, ok := textOf(a.Value)
	if !ok || len(groups) == 0 && a.Key == slog.LevelKey || printable(text) {
		return a
	}
	if len(groups) == 0 && a.Key == slog.MessageKey {
		return slog.String(a.Key, unquoted(text))
	}
	return slog.Any(a.Key, []byte(text))
}

// validUTF8 escapes what is not UTF-8. slog's JSON would replace it, and nobody
// could tell which file is meant.
func validUTF8(_ []string, a slog.Attr) slog.Attr {
	if text, ok := textOf(a.Value); ok && !utf8.ValidString(text) {
		return slog.String(a.Key, unquoted(text))
	}
	return a
}

func textOf(v slog.Value) (string, bool) {
	switch v.Kind() {
	case slog.KindString:
		return v.String(), true
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return x.Error(), true
		case encoding.TextMarshaler:
			b, err := x.MarshalText()
			return string(b), err == nil
		case []byte, nil:
			return "", false
		default:
			return fmt.Sprintf("%+v", x), true
		}
	}
	return "", false
}

// printable reports whether s needs no escaping.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// unquoted is s escaped as strconv.Quote does, without the quotes around it.
func unquoted(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// ForJournal returns Journal where format is Auto or Text and f is connected to
// the systemd journal, else format.
func ForJournal(format string, f *os.File, stream string) string {
	if (format == Auto || format == Text) && ToJournal(f, stream) {
		return Journal
	}
	return format
}

// JournalError before a line gives it the priority of an error in the journal.
const JournalError = "<3>"

// ToJournal reports whether f is connected to the systemd journal. stream is the variable
// JOURNAL_STREAM, which names the device and inode of a service's output. Children inherit
// the variable even where their output goes elsewhere, so f is compared with it; see
// systemd.exec(5).
func ToJournal(f *os.File, stream string) bool {
	info, err := f.Stat()
	if err != nil || stream == "" {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && fmt.Sprintf("%d:%d", st.Dev, st.Ino) == stream
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
			return harmless(groups, a)
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
		priority = JournalError
	case bytes.HasPrefix(line, []byte("level=WARN")):
		priority = "<4>"
	case bytes.HasPrefix(line, []byte("level=INFO")):
		priority = "<6>"
	}
	n, err := p.w.Write(append([]byte(priority), line...))
	return max(0, n-len(priority)), err
}
