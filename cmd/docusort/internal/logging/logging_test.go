package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"
)

// nasty is a file name that tries to be more than a name.
const nasty = "a\n<3>level=ERROR msg=forged\r\x1b[2J\u202egpj.\xff\x00z"

// del holds the one control character that slog takes for printable.
const del = "a\x7fb"

// formats is every way a line may be written.
var formats = []struct {
	name              string
	format            string
	terminal, noColor bool
}{
	{"text", Text, false, false},
	{"text on a terminal", Text, true, false},
	{"auto in a file", Auto, false, false},
	{"tint", Auto, true, false},
	{"tint without colour", Auto, true, true},
	{"json", JSON, true, false},
	{"journal", Journal, false, false},
}

func TestOneEventIsOneHarmlessLine(t *testing.T) {
	events := map[string]func(*slog.Logger){
		"attribute": func(l *slog.Logger) { l.Info("filed", "path", nasty) },
		"error":     func(l *slog.Logger) { l.Error("filed", "err", fmt.Errorf("open: %w", errors.New(nasty))) },
		"message":   func(l *slog.Logger) { l.Warn("filed " + nasty) },
		"group":     func(l *slog.Logger) { l.WithGroup("g").Info("filed", slog.Group("h", "path", nasty)) },
		"with":      func(l *slog.Logger) { l.With("path", nasty).Info("filed") },
		"list":      func(l *slog.Logger) { l.Info("filed", "paths", []string{"x", nasty}) },
		"DEL alone": func(l *slog.Logger) { l.Info("a\x7fb", "path", del, "err", errors.New(del)) },
	}
	for _, f := range formats {
		for what, event := range events {
			t.Run(f.name+"/"+what, func(t *testing.T) {
				var b bytes.Buffer
				event(New(&b, f.format, slog.LevelDebug, f.terminal, f.noColor))
				line := b.String()
				if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
					t.Fatalf("not one line: %q", line)
				}
				if !utf8.ValidString(line) {
					t.Errorf("not UTF-8: %q", line)
				}
				if strings.Contains(line, "\x1b[2J") {
					t.Errorf("the name's escape sequence reaches the terminal: %q", line)
				}
				if f.format != JSON && strings.ContainsFunc(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\x1b[", ""), unicode.IsControl) {
					t.Errorf("control characters: %q", line)
				}
				// Nothing is lost: who reads the line can tell which file it is.
				escapes := []string{`\n`, `\xff`, `2J`, `gpj`}
				if what == "DEL alone" {
					return
				}
				if f.format == JSON && what == "list" {
					escapes = escapes[:1] // encoding/json replaces inside lists
				}
				for _, want := range escapes {
					if !strings.Contains(line, want) {
						t.Errorf("%s is lost in %q", want, line)
					}
				}
			})
		}
	}
}

func TestFormats(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			var b bytes.Buffer
			l := New(&b, f.format, slog.LevelInfo, f.terminal, f.noColor)
			l.Debug("unseen")
			l.Info("filed", "path", "a b.pdf")
			line := b.String()
			if strings.Contains(line, "unseen") {
				t.Errorf("a line below the level: %q", line)
			}
			if got, want := strings.Contains(line, "\x1b["), f.name == "tint"; got != want {
				t.Errorf("colour = %v, want %v: %q", got, want, line)
			}
			if f.format == JSON {
				var v map[string]any
				if err := json.Unmarshal(b.Bytes(), &v); err != nil || v["path"] != "a b.pdf" || v["msg"] != "filed" {
					t.Errorf("JSON %v %v", v, err)
				}
				return
			}
			if !strings.Contains(line, `"a b.pdf"`) {
				t.Errorf("the name is not quoted: %q", line)
			}
			if got, want := strings.HasPrefix(line, "time="), f.format == Text || f.name == "auto in a file"; got != want {
				t.Errorf("time= first is %v, want %v: %q", got, want, line)
			}
		})
	}
}

func TestJournalPriorities(t *testing.T) {
	var b bytes.Buffer
	l := New(&b, Journal, slog.LevelDebug, false, false).With("doc", 7).WithGroup("g")
	l.Debug("m", "k", 1)
	l.Info("m", "k", 1)
	l.Warn("m", "k", 1)
	l.Log(t.Context(), slog.LevelWarn+2, "m")
	l.Error("m", "k", 1)
	want := `<7>level=DEBUG msg=m doc=7 g.k=1
<6>level=INFO msg=m doc=7 g.k=1
<4>level=WARN msg=m doc=7 g.k=1
<4>level=WARN+2 msg=m doc=7
<3>level=ERROR msg=m doc=7 g.k=1
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestForJournal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	ours := fmt.Sprintf("%d:%d", st.Dev, st.Ino)
	for _, c := range []struct{ format, stream, want string }{
		{Auto, ours, Journal},
		{Text, ours, Journal},
		{JSON, ours, JSON},
		{Auto, "", Auto},
		{Auto, fmt.Sprintf("%d:%d", st.Dev, st.Ino+1), Auto},
		{Auto, "rubbish", Auto},
	} {
		if got := ForJournal(c.format, f, c.stream); got != c.want {
			t.Errorf("ForJournal(%q, %q) = %q, want %q", c.format, c.stream, got, c.want)
		}
	}
	f.Close()
	if got := ForJournal(Auto, f, ours); got != Auto {
		t.Errorf("with a closed file = %q", got)
	}
}
