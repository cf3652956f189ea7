package display

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Width returns how many columns a printable text takes on a terminal. Colour
// sequences take none.
func Width(s string) int {
	n := 0
	for s != "" {
		cluster, width := next(s)
		n += width
		s = s[len(cluster):]
	}
	return n
}

// next returns the first character of s with the marks on it, or the colour
// sequence that s begins with, and the columns that it takes.
func next(s string) (cluster string, width int) {
	if strings.HasPrefix(s, "\x1b[") {
		if end := strings.IndexByte(s, 'm'); end > 0 {
			return s[:end+1], 0
		}
	}
	if s[0] >= ' ' && s[0] < 0x7f && (len(s) == 1 || s[1] < utf8.RuneSelf) {
		return s[:1], 1 // the usual case, made fast: ASCII without marks
	}
	cluster, _, width, _ = uniseg.FirstGraphemeClusterInString(s, -1)
	return cluster, width
}

// Pad adds spaces to the right of s, up to width columns.
func Pad(s string, width int) string { return s + padding(s, width) }

// PadLeft adds spaces to the left of s, up to width columns.
func PadLeft(s string, width int) string { return padding(s, width) + s }

func padding(s string, width int) string { return strings.Repeat(" ", max(0, width-Width(s))) }

// Cut shortens a text without colours to width columns, with … at its end.
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return head(s, width-1) + "…"
}

// CutMiddle shortens a text without colours to width columns, with … in its
// middle: names often differ at their ends, and have their extension there.
func CutMiddle(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	front := head(s, (width-1)/2)
	return front + "…" + tail(s, width-1-Width(front))
}

// head returns the longest beginning of s that fits.
func head(s string, width int) string {
	end := 0
	for end < len(s) {
		cluster, w := next(s[end:])
		if width -= w; width < 0 {
			break
		}
		end += len(cluster)
	}
	return s[:end]
}

// tail returns the longest end of s that fits.
func tail(s string, width int) string {
	for over := Width(s) - width; over > 0; {
		cluster, w := next(s)
		over -= w
		s = s[len(cluster):]
	}
	return s
}

// Wrap breaks a text into lines of at most width columns, at spaces where
// possible. A width of 0 means no limit.
func Wrap(s string, width int) []string {
	if width <= 0 || Width(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for Width(line) > width { // a single word, too long for a line
			first, _ := next(line)
			front := cmp.Or(head(line, width), first)
			lines, line = append(lines, front), line[len(front):]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
