package progress

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"

	"docusort/cmd/docusort/internal/report/display"
)

const (
	// clear goes to the beginning of the line and erases it.
	clear = "\r\x1b[K"
	// Between these, a terminal that is narrower than we think cuts the line. It
	// would otherwise break it in two, and leave one of them behind.
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
)

// usualWidth is that of a terminal that does not say how wide it is.
const usualWidth = 80

// Line is a line of progress. Its methods may be called from any goroutine.
type Line struct {
	w       io.Writer
	columns func() int // of the terminal

	mu   sync.Mutex
	off  bool   // not a terminal, or finished
	text string // on the terminal; empty: nothing yet
}

// New returns a line on w. It shows nothing where w is not a terminal; columns returns how
// wide that is by now, or 0 where it does not say.
func New(w io.Writer, isTerminal bool, columns func() int) *Line {
	return &Line{w: w, off: !isTerminal, columns: columns}
}

// Update shows that done of total documents are finished, and a detail such as
// "3 uploading, 5 pending". A total of 0 means that it is not known yet.
func (l *Line) Update(done, total int, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return
	}
	// The last column stays free: writing into it makes some terminals go on to
	// the next line.
	text := fit(done, total, detail, cmp.Or(l.columns(), usualWidth)-1)
	if text != l.text {
		l.text = text
		io.WriteString(l.w, drawing(text))
	}
}

func drawing(text string) string { return noWrap + "\r" + text + "\x1b[K" + wrap }

// Finish removes the line for good. Later updates do nothing, and the writer goes
// on without it.
func (l *Line) Finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.off && l.text != "" {
		io.WriteString(l.w, clear)
	}
	l.off = true
}

// Writer returns a writer of whole lines for everything else that goes to the same
// terminal. What is written to it stands above the line of progress.
func (l *Line) Writer() io.Writer { return writer{l} }

type writer struct{ line *Line }

// Write writes all in one go, so that the line does not flicker.
func (w writer) Write(b []byte) (int, error) {
	l := w.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off || l.text == "" {
		return l.w.Write(b)
	}
	if _, err := io.WriteString(l.w, clear+string(b)+drawing(l.text)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// A bar wider than widestBar says no more. One narrower than narrowestBar says
// nothing; the room is better spent on words.
const widestBar, narrowestBar = 30, 8

// fit writes the progress in at most width columns. What does not fit goes: first
// the bar, then the detail, then the counts.
func fit(done, total int, detail string, width int) string {
	words, share := display.Things(done, "document"), 0.0
	if total > 0 {
		share = min(1, max(0, float64(done)/float64(total)))
		// Rounded down: 100 % means that nothing is left.
		words = fmt.Sprintf("%s/%s %3d %%", display.Count(done), display.Count(total), int(share*100))
	}
	if detail = display.Prose(detail); detail != "" {
		words += "  " + detail
	}
	if room := width - display.Width(words) - len("[] "); total > 0 && room >= narrowestBar {
		words = bar(share, min(room, widestBar)) + " " + words
	}
	return display.Cut(words, width)
}

func bar(share float64, width int) string {
	full := int(share * float64(width))
	b := strings.Repeat("=", full)
	if full < width {
		b += ">" + strings.Repeat(" ", width-full-1)
	}
	return "[" + b + "]"
}
