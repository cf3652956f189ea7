package report

import (
	"bufio"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

// style is the number of the terminal's escape sequence for a style of text.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// lines writes lines of text, fitted to a terminal if there is one. Errors stick
// to the writer and show at the end.
type lines struct {
	w     *bufio.Writer
	width int // 0: no limit
	color bool
}

// paint gives a text a style, where there are colours.
func (l *lines) paint(s style, text string) string {
	if !l.color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// hang writes a text with a head before its first line. Further lines begin below
// the text.
func (l *lines) hang(head, text string) { l.hangIn(plain, head, text) }

// hangIn is hang with a style for the text. Each line has its own, because pagers
// forget it at the end of a line.
func (l *lines) hangIn(s style, head, text string) {
	indent, room := display.Width(head), 0
	if l.width > 0 {
		room = max(l.width-indent, 16) // a few words, however narrow the window
	}
	for _, line := range display.Wrap(text, room) {
		l.line(head + l.paint(s, line))
		head = strings.Repeat(" ", indent)
	}
}

// line writes a line that is known to fit, and returns the error of any write so
// far.
func (l *lines) line(text string) error {
	l.w.WriteString(strings.TrimRight(text, " "))
	return l.w.WriteByte('\n')
}

// title begins a section.
func (l *lines) title(text string) {
	l.line("")
	l.line(l.paint(bold, text))
}
