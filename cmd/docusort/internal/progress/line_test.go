package progress

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"docusort/cmd/docusort/internal/report/display"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sequence = regexp.MustCompile(`^\x1b\[(K|\?7[lh])`)

// screen shows what a terminal shows of what was written to it: its lines, of
// which the last may be without its end. It knows what we use of a terminal.
func screen(t *testing.T, written string) []string {
	t.Helper()
	lines, column := [][]rune{nil}, 0
	for written != "" {
		last := len(lines) - 1
		if seq := sequence.FindString(written); seq != "" {
			if seq == "\x1b[K" {
				lines[last] = lines[last][:min(column, len(lines[last]))]
			}
			written = written[len(seq):]
			continue
		}
		r, size := utf8.DecodeRuneInString(written)
		written = written[size:]
		switch {
		case r == '\r':
			column = 0
		case r == '\n':
			lines, column = append(lines, nil), 0
		case unicode.IsPrint(r) && column < len(lines[last]):
			lines[last][column] = r
			column++
		case unicode.IsPrint(r):
			lines[last] = append(lines[last], r)
			column++
		default:
			t.Fatalf("%q was written to the terminal", r)
		}
	}
	var out []string
	for _, l := range lines {
		out = append(out, string(l))
	}
	return out
}

// terminal keeps what is written to it.
type terminal struct {
	mu     sync.Mutex
	b      bytes.Buffer
	writes int
}

func (w *terminal) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	return w.b.Write(b)
}

func (w *terminal) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// written is how often it was written to.
func (w *terminal) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

func wantScreen(t *testing.T, written string, want ...string) {
	t.Helper()
	if got := screen(t, written); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the terminal shows %q, want %q; written was %q", got, want, written)
	}
}

func TestLineDrawsAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b terminal
		l := New(&b, true)
		l.Update(0, 1200, "")
		wantScreen(t, b.String(), "[>                             ] 0/1,200   0 %")
		time.Sleep(time.Second)
		l.Update(600, 1200, "3 uploading, 5 pending")
		wantScreen(t, b.String(), "[===============>              ] 600/1,200  50 %  3 uploading, 5 pending")
		time.Sleep(time.Second)
		l.Update(1200, 1200, "")
		wantScreen(t, b.String(), "[==============================] 1,200/1,200 100 %")
		l.Finish()
		wantScreen(t, b.String(), "")
		n := b.written()
		l.Update(1, 2, "too late")
		l.Finish()
		time.Sleep(time.Second)
		if b.written() != n {
			t.Error("it writes after its end")
		}
	})
}

func TestLineIsDrawnTenTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w terminal
		l := New(&w, true)
		for i := range 1000 {
			l.Update(i, 1000, "")
			time.Sleep(time.Millisecond)
		}
		if n := w.written(); n < 9 || n > 11 {
			t.Errorf("drawn %d times in a second", n)
		}
		time.Sleep(interval) // the last update shows, though nothing comes after it
		if got := screen(t, w.String()); !strings.Contains(got[0], " 999/1,000  99 %") {
			t.Errorf("the terminal shows %q", got)
		}
		n := w.written()
		time.Sleep(time.Second)
		l.Update(999, 1000, "")
		time.Sleep(time.Second)
		if again := w.written() - n; again != 0 {
			t.Errorf("it was drawn %d times without a change", again)
		}
		l.Update(1000, 1000, "")
		l.Update(1000, 1000, "again") // one that is due when it ends
		l.Finish()
		time.Sleep(time.Second)
		wantScreen(t, w.String(), "")
	})
}

func TestLogsStandAboveTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w terminal
		l := New(&w, true)
		log := slog.New(slog.NewTextHandler(l.Writer(), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		log.Info("before")
		l.Update(1, 2, "")
		log.Info("filed")
		const bar = "[===============>              ] 1/2  50 %"
		wantScreen(t, w.String(), "level=INFO msg=before", "level=INFO msg=filed", bar)
		l.Update(2, 2, "") // too soon: it comes with the next log line
		log.Info("filed")
		done := strings.Replace(strings.Replace(bar, "1/2  50", "2/2 100", 1), "===>              ", "==================", 1)
		wantScreen(t, w.String(), "level=INFO msg=before", "level=INFO msg=filed", "level=INFO msg=filed", done)
		if n := w.written(); n != 4 {
			t.Errorf("%d writes: the line flickers", n)
		}
		l.Finish()
		log.Info("after")
		wantScreen(t, w.String(), "level=INFO msg=before", "level=INFO msg=filed", "level=INFO msg=filed", "level=INFO msg=after", "")
	})
}

func TestLineWaitsForTheEndOfAnotherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b terminal
		l := New(&b, true)
		l.Update(1, 1, "")
		fmt.Fprint(l.Writer(), "half ")
		time.Sleep(time.Second)
		l.Update(1, 2, "")
		wantScreen(t, b.String(), "half ")
		fmt.Fprint(l.Writer(), "a line\n")
		wantScreen(t, b.String(), "half a line", "[===============>              ] 1/2  50 %")
	})
}

func TestNothingWithoutATerminal(t *testing.T) {
	var b terminal
	l := New(&b, false)
	l.Update(1, 2, "x")
	fmt.Fprint(l.Writer(), "a log line\n")
	l.Finish()
	if b.String() != "a log line\n" {
		t.Errorf("wrote %q", b.String())
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if l := New(f, true); l.columns() != 80 { // a file that is called a terminal
		t.Errorf("%d columns", l.columns())
	}
}

func TestTheLastColumnStaysFree(t *testing.T) {
	var w terminal
	l := New(&w, true)
	l.columns = func() int { return 10 }
	l.Update(1000, 2000, "")
	wantScreen(t, w.String(), "1,000/2,…")
}

func TestFit(t *testing.T) {
	s := state{done: 45, total: 1200, detail: "3 uploading,\n5 pending"}
	for width, want := range map[int]string{
		100: "[=>                            ] 45/1,200   3 %  3 uploading, 5 pending",
		60:  "[>                  ] 45/1,200   3 %  3 uploading, 5 pending",
		45:  "45/1,200   3 %  3 uploading, 5 pending",
		20:  "45/1,200   3 %  3 u…",
		5:   "45/1…",
		0:   "",
		-1:  "",
	} {
		if got := s.fit(width); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
	for want, s := range map[string]state{
		"7 documents  looking": {done: 7, detail: "looking"},
		"1 document":           {done: 1},
		"[==============================] 3/2 100 %":       {done: 3, total: 2},
		"[=============================>] 999/1,000  99 %": {done: 999, total: 1000},
	} {
		if got := s.fit(79); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}

func TestFitFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := state{rapid.IntRange(-5, 1e7).Draw(t, "done"), rapid.IntRange(-5, 1e7).Draw(t, "total"), rapid.String().Draw(t, "detail")}
		width := rapid.IntRange(0, 200).Draw(t, "width")
		text := s.fit(width)
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

type broken struct{ n int }

var errBroken = errors.New("broken")

func (b broken) Write([]byte) (int, error) { return b.n, errBroken }

func TestWriterCountsOnlyWhatItWasGiven(t *testing.T) {
	for n, want := range map[int]int{0: 0, len(clear): 0, len(clear) + 2: 2, 1000: 5} {
		l := New(broken{n}, true)
		l.Update(1, 2, "")
		if got, err := l.Writer().Write([]byte("line\n")); got != want || !errors.Is(err, errBroken) {
			t.Errorf("%d, %v; want %d", got, err, want)
		}
	}
	var b terminal
	l := New(&b, true)
	l.Update(1, 2, "")
	if n, err := l.Writer().Write([]byte("line\n")); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b terminal
		l := New(&b, true)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 100 {
					l.Update(j, 100, "busy")
					fmt.Fprintf(l.Writer(), "log %d %d\n", i, j)
					time.Sleep(time.Duration(i+1) * time.Millisecond)
				}
			})
		}
		wg.Wait()
		l.Finish()
		lines := screen(t, b.String())
		for _, line := range lines[:len(lines)-1] {
			if !regexp.MustCompile(`^log \d \d+$`).MatchString(line) {
				t.Errorf("garbled: %q", line)
			}
		}
		if len(lines) != 801 || lines[800] != "" {
			t.Errorf("%d lines, the last of them %q", len(lines), lines[len(lines)-1])
		}
	})
}
