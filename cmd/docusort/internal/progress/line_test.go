package progress

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"docusort/cmd/docusort/internal/report/display"
)

// screen shows the lines that a terminal shows of what was written to it, of which
// the last may be without its end. It knows what we use of a terminal.
func screen(written string) (lines []string) {
	for line := range strings.SplitSeq(strings.NewReplacer(noWrap, "", wrap, "").Replace(written), "\n") {
		shown := ""
		for part := range strings.SplitSeq(line, "\r") {
			text := strings.Replace(part, "\x1b[K", "", 1)
			if text == part && len(text) < len(shown) {
				text += shown[len(text):] // not erased
			}
			shown = text
		}
		lines = append(lines, shown)
	}
	return lines
}

// terminal keeps what is written to it. The line's lock guards it.
type terminal struct {
	b      bytes.Buffer
	writes int
}

func (w *terminal) Write(b []byte) (int, error) {
	w.writes++
	return w.b.Write(b)
}

func (w *terminal) String() string { return w.b.String() }

func wantScreen(t *testing.T, written string, want ...string) {
	t.Helper()
	if got := screen(written); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the terminal shows %q, want %q; written was %q", got, want, written)
	}
}

// unknown is the width of a terminal that does not say it.
func unknown() int { return 0 }

func TestLineDrawsAndGoes(t *testing.T) {
	var b terminal
	l := New(&b, true, unknown)
	l.Update(0, 1200, "")
	wantScreen(t, b.String(), "[>                             ] 0/1,200   0 %")
	l.Update(600, 1200, "3 uploading, 5 pending")
	wantScreen(t, b.String(), "[===============>              ] 600/1,200  50 %  3 uploading, 5 pending")
	l.Update(1200, 1200, "")
	l.Update(1200, 1200, "")
	wantScreen(t, b.String(), "[==============================] 1,200/1,200 100 %")
	l.Finish()
	wantScreen(t, b.String(), "")
	l.Update(1, 2, "too late")
	l.Finish()
	if b.writes != 4 {
		t.Errorf("%d writes: it writes without a change, or after its end", b.writes)
	}
}

func TestLogsStandAboveTheLine(t *testing.T) {
	var w terminal
	l := New(&w, true, unknown)
	log := func(text string) { fmt.Fprintln(l.Writer(), text) }
	log("before")
	l.Update(1, 2, "")
	log("filed")
	wantScreen(t, w.String(), "before", "filed", "[===============>              ] 1/2  50 %")
	l.Update(2, 2, "")
	log("filed")
	wantScreen(t, w.String(), "before", "filed", "filed", "[==============================] 2/2 100 %")
	if w.writes != 5 {
		t.Errorf("%d writes: the line flickers", w.writes)
	}
	l.Finish()
	log("after")
	wantScreen(t, w.String(), "before", "filed", "filed", "after", "")
}

func TestNothingWithoutATerminal(t *testing.T) {
	var b terminal
	l := New(&b, false, unknown)
	l.Update(1, 2, "x")
	fmt.Fprint(l.Writer(), "a log line\n")
	l.Finish()
	if b.String() != "a log line\n" {
		t.Errorf("wrote %q", b.String())
	}
}

func TestTheLastColumnStaysFree(t *testing.T) {
	var w terminal
	l := New(&w, true, func() int { return 10 })
	l.Update(1000, 2000, "")
	wantScreen(t, w.String(), "1,000/2,…")
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		done, total int
		detail      string
		width       int
		want        string
	}{
		{45, 1200, "3 uploading,\n5 pending", 100, "[=>                            ] 45/1,200   3 %  3 uploading, 5 pending"},
		{45, 1200, "3 uploading, 5 pending", 60, "[>                  ] 45/1,200   3 %  3 uploading, 5 pending"},
		{45, 1200, "3 uploading, 5 pending", 45, "45/1,200   3 %  3 uploading, 5 pending"},
		{45, 1200, "3 uploading, 5 pending", 20, "45/1,200   3 %  3 u…"},
		{45, 1200, "", 5, "45/1…"}, {45, 1200, "", 0, ""}, {45, 1200, "", -1, ""},
		{7, 0, "looking", 79, "7 documents  looking"}, {1, 0, "", 79, "1 document"},
		{3, 2, "", 79, "[==============================] 3/2 100 %"},
		{999, 1000, "", 79, "[=============================>] 999/1,000  99 %"},
	} {
		if got := fit(c.done, c.total, c.detail, c.width); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestFitFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(0, 200).Draw(t, "width")
		text := fit(rapid.IntRange(-5, 1e7).Draw(t, "done"), rapid.IntRange(-5, 1e7).Draw(t, "total"), rapid.String().Draw(t, "detail"), width)
		if display.Width(text) > width {
			t.Errorf("%q takes %d columns of %d", text, display.Width(text), width)
		}
		for _, r := range text {
			if !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) {
				t.Errorf("%U in %q", r, text)
			}
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	var b terminal
	l := New(&b, true, unknown)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				l.Update(j, 100, "busy")
				fmt.Fprintf(l.Writer(), "log %d %d\n", i, j)
			}
		})
	}
	wg.Wait()
	l.Finish()
	lines := screen(b.String())
	for _, line := range lines[:len(lines)-1] {
		if !regexp.MustCompile(`^log \d \d+$`).MatchString(line) {
			t.Errorf("garbled: %q", line)
		}
	}
	if len(lines) != 801 || lines[800] != "" {
		t.Errorf("%d lines, the last of them %q", len(lines), lines[len(lines)-1])
	}
}
