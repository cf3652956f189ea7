package display

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Arrow stands between where a document was and where it is. [Printable]
// escapes it, so that no name contains it.
const Arrow = "→"

// Name returns a file's name as valid UTF-8. No two names give the same result.
func Name(name string) string { return escape(name, true, keepAll) }

// Text returns prose as valid UTF-8.
func Text(s string) string { return escape(s, false, keepAll) }

// Line returns a name as one line of valid UTF-8, without characters that change
// its direction.
func Line(name string) string {
	return escape(name, true, func(r rune, _ bool) bool {
		return !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	})
}

// Printable returns a name that is safe to show on a terminal.
func Printable(name string) string {
	p := printable{space: true}
	return escape(name, true, p.keeps)
}

// Prose returns prose as one line that is safe to show on a terminal.
func Prose(s string) string {
	p := printable{space: true}
	return escape(strings.Join(strings.Fields(s), " "), false, p.keeps)
}

func keepAll(rune, bool) bool { return true }

// escape writes \xNN for each byte of s that is not UTF-8, and for each byte of a
// character that keep refuses. keep is told whether the character is the last.
// With reversible set, a backslash that looks like an escape becomes one.
func escape(s string, reversible bool, keep func(r rune, last bool) bool) string {
	var b strings.Builder
	copied := 0 // s[:copied] is in b
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		invalid := r == utf8.RuneError && n == 1
		if !invalid && keep(r, i+n == len(s)) && !(reversible && escaped(s[i:])) {
			continue
		}
		b.WriteString(s[copied:i])
		for _, c := range []byte(s[i : i+n]) {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		copied = i + n
	}
	b.WriteString(s[copied:])
	return b.String()
}

// escaped reports whether s begins with an escape sequence. Upper-case digits
// count, so that a reader need not care.
func escaped(s string) bool {
	return len(s) >= 4 && s[:2] == `\x` && isHex(s[2]) && isHex(s[3])
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// maxMarks is how many marks may stand on one letter. No script needs more, and a
// heap of them covers the lines above and below.
const maxMarks = 4

// printable decides which characters of a text a terminal shows as they are.
type printable struct {
	space bool // the character before was a space, or there was none
	marks int  // marks since the last letter
}

func (p *printable) keeps(r rune, last bool) bool {
	space, start := p.space, p.space && p.marks == 0
	p.space = false
	switch {
	case unicode.Is(unicode.Zs, r):
		p.marks, p.space = 0, true
		return !space && !last
	case isMark(r):
		p.marks++
		return !start && p.marks <= maxMarks && !invisible(r)
	}
	p.marks = 0
	return unicode.IsPrint(r) && !invisible(r) && string(r) != Arrow
}

// isMark reports whether r is drawn onto the character before it: marks, and the
// vowels and finals of a Korean syllable that is written in parts.
func isMark(r rune) bool {
	if r < 0x300 {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me) ||
		unicode.IsPrint(r) && (0x1160 <= r && r <= 0x11ff || 0xd7b0 <= r && r <= 0xd7fb)
}

// invisible reports whether a terminal shows nothing for r although Unicode calls
// it a letter or a symbol: the Hangul fillers and the empty Braille pattern.
func invisible(r rune) bool {
	return r == '\u2800' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
