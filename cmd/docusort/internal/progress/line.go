package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	interval = 100 * time.Millisecond // between two drawings: more is flicker

	// clear goes to the beginning of the line and erases it.
	clear = "\r\x1b[K"
	// A terminal narrower than we think cuts the line instead of breaking it
	// into two, of which the next drawing would leave one behind.
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
)

// Line is a line of progress. Its methods may be called from any goroutine.
type Line struct {
	w       io.Writer
	columns func() int // of the terminal

	mu      sync.Mutex
	off     bool // no terminal, or finished
	now     state
	due     *time.Timer // draws what came too soon after the last drawing
	drawn   time.Time   // when the last drawing was
	shown   string      // what stands on the terminal
	midLine bool        // others have written a line without its end
	updated bool        // there is something to draw
}

type state struct {
	done, total int
	detail      string
}

// New returns a line on w, which is a terminal or else shows nothing of it.
func New(w io.Writer, isTerminal bool) *Line {
	l := &Line{w: w, off: !isTerminal, columns: func() int { return 80 }}
	if f, ok := w.(*os.File); ok && isTerminal {
		l.columns = func() int {
			if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
				return width
			}
			return 80
		}
	}
	return l
}

// Update shows that done of total documents are through, and a detail such as
// "3 uploading, 5 pending". A total of 0 is one not known yet. It is cheap, and
// may be called at every change.
func (l *Line) Update(done, total int, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return
	}
	l.now, l.updated = state{done, total, detail}, true
	if l.due != nil {
		return // it will be drawn when that is due
	}
	if wait := interval - time.Since(l.drawn); wait > 0 {
		l.due = time.AfterFunc(wait, l.drawDue)
		return
	}
	l.draw()
}

func (l *Line) drawDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = nil
	l.draw()
}

// draw puts the line on the terminal, if it is not there already.
func (l *Line) draw() {
	if text := l.drawing(); text != "" {
		io.WriteString(l.w, text)
	}
}

// drawing returns what puts the line, as it should be now, on the terminal.
func (l *Line) drawing() string {
	if l.off || l.midLine || !l.updated {
		return ""
	}
	l.drawn = time.Now()
	// The last column stays free: writing into it makes some terminals go on to
	// the next line.
	text := l.now.fit(l.columns() - 1)
	if text == l.shown {
		return ""
	}
	l.shown = text
	return noWrap + "\r" + text + "\x1b[K" + wrap
}

// Finish takes the line away, for good: later updates do nothing, and the writer
// goes on without it.
func (l *Line) Finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due != nil {
		l.due.Stop()
		l.due = nil
	}
	if l.shown != "" {
		io.WriteString(l.w, clear)
		l.shown = ""
	}
	l.off = true
}

// Writer returns a writer for everything else that goes to the same terminal.
// What is written to it stands above the line. A text without a line's end keeps
// the line away until its end is written.
func (l *Line) Writer() io.Writer { return writer{l} }

type writer struct{ line *Line }

// Write writes all in one go, so that the line does not flicker.
func (w writer) Write(b []byte) (int, error) {
	l := w.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(b) == 0 || l.off {
		return l.w.Write(b)
	}
	before := ""
	if l.shown != "" {
		before, l.shown = clear, ""
	}
	l.midLine = b[len(b)-1] != '\n'
	n, err := io.WriteString(l.w, before+string(b)+l.drawing())
	return min(max(0, n-len(before)), len(b)), err
}
