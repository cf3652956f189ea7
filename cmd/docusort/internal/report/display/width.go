package display

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const emojiStyle = '\ufe0f' // asks for the wide, coloured form of the symbol before it

// Width returns how many columns a printable text takes on a terminal. Where
// terminals differ it is the larger number, so that what fits by it does fit.
// The escape sequences of colours take none.
func Width(s string) int {
	n := 0
	for len(s) > 0 {
		_, size, width := next(s)
		n += width
		s = s[size:]
	}
	return n
}

// next returns the first character of s with all that stands on it, its length
// in bytes and its columns.
func next(s string) (cluster string, size, width int) {
	if n := colour(s); n > 0 {
		return s[:n], n, 0
	}
	r, size := utf8.DecodeRuneInString(s)
	width = columns(r)
	for size < len(s) {
		r, n := utf8.DecodeRuneInString(s[size:])
		if !zeroWidth(r) {
			break
		}
		if r == emojiStyle {
			width = max(width, 2)
		}
		size += n
	}
	return s[:size], size, width
}

// colour returns the length of the colour sequence that s begins with, or 0.
func colour(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	return strings.IndexByte(s, 'm') + 1
}

func columns(r rune) int {
	switch {
	case r < 0x20 || r == 0x7f || zeroWidth(r):
		return 0
	case r >= 0x1100 && unicode.Is(wide, r):
		return 2
	}
	return 1
}

// zeroWidth says whether r is drawn onto the character before it: marks, and
// the vowels and finals of a Korean syllable that is written in parts.
func zeroWidth(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me) || 0x1160 <= r && r <= 0x11ff || 0xd7b0 <= r && r <= 0xd7fb
}

// Pad fills s with spaces up to width columns, on its right.
func Pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-Width(s))) }

// PadLeft fills s with spaces up to width columns, on its left.
func PadLeft(s string, width int) string { return strings.Repeat(" ", max(0, width-Width(s))) + s }

// Cut shortens a text without colours to at most width columns, with … at its end.
func Cut(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return head(s, width-1) + "…"
}

// CutMiddle shortens a text without colours to at most width columns, with …
// in its middle: names often differ in their ends, and have their kind there.
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
		_, size, w := next(s[end:])
		if width -= w; width < 0 {
			break
		}
		end += size
	}
	return s[:end]
}

// tail returns the longest end of s that fits.
func tail(s string, width int) string {
	for over := Width(s) - width; over > 0; {
		_, size, w := next(s)
		over -= w
		s = s[size:]
	}
	return s
}

// Wrap breaks a text into lines of at most width columns, at spaces where it
// can. A width of 0 breaks nothing.
func Wrap(s string, width int) []string {
	if width <= 0 || Width(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.Split(s, " ") {
		if line != "" && Width(line)+1+Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for Width(word) > width {
			front := head(word, width)
			if front == "" {
				front, _, _ = next(word) // too wide for any line
			}
			lines, word = append(lines, front), word[len(front):]
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
