package logging

import (
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
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
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: quoteDEL}))
	}
	return slog.New(tint.NewTextHandler(w, &tint.Options{
		Level: level, NoColor: noColor, TimeFormat: time.TimeOnly, ReplaceAttr: harmless,
	}))
}

// harmless passes text that would act on a terminal to tint as bytes, which tint
// always quotes. In strings, tint keeps escape sequences when it colours and drops
// them when it does not; in the message it keeps everything.
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

// quoteDEL makes slog's text handler quote values with a DEL, the one control
// character that slog takes for printable.
func quoteDEL(_ []string, a slog.Attr) slog.Attr {
	if text, ok := textOf(a.Value); ok && strings.ContainsRune(text, '\x7f') {
		return slog.Any(a.Key, []byte(text))
	}
	return a
}

// validUTF8 escapes what is not UTF-8. slog's JSON would replace it, and nobody
// could tell which file is meant.
func validUTF8(_ []string, a slog.Attr) slog.Attr {
	if text, ok := textOf(a.Value); ok && !utf8.ValidString(text) {
		return slog.String(a.Key, unquoted(text))
	}
	return a
}

// textOf returns the text of a value, if it may hold text.
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
