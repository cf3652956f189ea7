package report

import (
	"bufio"
	"io"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
)

// style is how a piece of text is set off on a terminal: the number of an SGR
// escape sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// page writes lines of text, fitted to a terminal if there is one. Errors stick
// to the writer and show at the end.
type page struct {
	w     *bufio.Writer
	width int // 0: no limit
	color bool
}

func newPage(w io.Writer, o Options) *page {
	return &page{w: bufio.NewWriter(w), width: o.Width, color: o.Color}
}

// paint gives a text a style, where there are colours.
func (p *page) paint(s style, text string) string {
	if !p.color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// hang writes a text after a head that stands on the first of its lines only;
// the others begin below the text.
func (p *page) hang(head, text string) { p.hangIn(plain, head, text) }

// hangIn is hang with a style for the text. Each line has it of its own, because
// pagers forget it at a line's end.
func (p *page) hangIn(s style, head, text string) {
	indent := display.Width(head)
	room := 0
	if p.width > 0 {
		// A window too narrow to be fitted still gets lines of a few words.
		room = max(p.width-indent, 16)
	}
	for i, line := range display.Wrap(text, room) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		p.line(head + p.paint(s, line))
	}
}

// line writes a line that is known to fit. Its error is that of any write before.
func (p *page) line(text string) error {
	p.w.WriteString(strings.TrimRight(text, " "))
	return p.w.WriteByte('\n')
}

// title begins a section.
func (p *page) title(text string) {
	p.line("")
	p.line(p.paint(bold, text))
}
