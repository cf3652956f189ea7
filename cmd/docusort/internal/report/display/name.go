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

// Name returns a file's name as valid UTF-8; see the package comment for how
// what is not UTF-8 is written. No two names give the same.
func Name(name string) string {
	return escape(name, true, func(rune, bool) bool { return true })
}

// Text returns prose as valid UTF-8. Backslashes stay, since nobody needs the
// bytes back.
func Text(s string) string {
	return escape(s, false, func(rune, bool) bool { return true })
}

// Line returns a name as one line of valid UTF-8, for machines that people look
// at: Name, with what breaks a line or turns its direction escaped as well.
func Line(name string) string {
	return escape(name, true, func(r rune, _ bool) bool {
		return !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	})
}

// Printable returns a name as one may show it on a terminal or in a line of
// text, in the notation of [Name].
func Printable(name string) string {
	p := printable{space: true}
	return escape(name, true, p.shows)
}

// Prose returns prose as a single line that may be shown on a terminal.
func Prose(s string) string {
	p := printable{space: true}
	return escape(strings.Join(strings.Fields(s), " "), false, p.shows)
}

// escape copies s and writes \xNN for each byte that is not UTF-8 and for each
// byte of a character that keep refuses. keep also learns whether it is the
// last. reversible says whether a backslash that looks like an escape is one too.
func escape(s string, reversible bool, keep func(r rune, last bool) bool) string {
	var b strings.Builder
	copied := 0 // s[:copied] is in b
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		bad := r == utf8.RuneError && n == 1
		if !bad && keep(r, i+n == len(s)) && !(reversible && escaped(s[i:])) {
			continue
		}
		b.WriteString(s[copied:i])
		for _, c := range []byte(s[i : i+n]) {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		copied = i + n
	}
	if copied == 0 {
		return s
	}
	b.WriteString(s[copied:])
	return b.String()
}

// escaped says whether s begins with what reads as an escape. Upper-case digits
// count, so that a reader need not care.
func escaped(s string) bool {
	return len(s) >= 4 && s[0] == '\\' && s[1] == 'x' && isHex(s[2]) && isHex(s[3])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// maxMarks is how many marks may stand on one character: no script needs more,
// and a heap of them covers the lines above and below.
const maxMarks = 4

// printable decides which characters of a text a terminal shows as they are.
type printable struct {
	space bool // the last one was a space, or there was none
	marks int  // how many marks there have been since the last letter
}

func (p *printable) shows(r rune, last bool) bool {
	space, start := p.space, p.space && p.marks == 0
	p.space = false
	switch {
	case unicode.Is(unicode.Zs, r):
		p.marks = 0
		p.space = true
		return !space && !last
	case zeroWidth(r) && unicode.IsPrint(r):
		p.marks++
		return !start && p.marks <= maxMarks && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	}
	p.marks = 0
	return unicode.IsPrint(r) && !invisible(r) && string(r) != Arrow
}

// invisible says whether a terminal shows nothing, though r counts as a letter
// or a symbol: the Hangul fillers and the empty Braille pattern.
func invisible(r rune) bool {
	return r == '\u2800' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
