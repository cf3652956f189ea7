package main

import (
	"fmt"
	"strings"
)

// plainShow writes text as one literal string.
func plainShow(s string) string { return literal(winAnsi(s)) + " Tj" }

// hexText writes text as one hexadecimal string.
func hexText(s string) string { return fmt.Sprintf("<%X> Tj", winAnsi(s)) }

// kernedText writes text as an array of pieces moved closer together or apart,
// as typesetting programs do: a keyword may be in several pieces.
func kernedText(s string) string {
	var b strings.Builder
	b.WriteByte('[')
	bytes := winAnsi(s)
	start := 0
	for i := 1; i < len(bytes); i++ {
		if k, ok := kerning[string(bytes[i-1:i+1])]; ok {
			fmt.Fprintf(&b, "%s%d", literal(bytes[start:i]), k)
			start = i
		}
	}
	b.WriteString(literal(bytes[start:]))
	b.WriteString("] TJ")
	return b.String()
}

// kerning has some of Helvetica's pairs, in thousandths of the size.
var kerning = map[string]int{
	"AV": 70, "VA": 80, "AW": 50, "WA": 50, "AT": 120, "To": 120, "Ty": 120,
	"vo": 25, "oi": 5, "ou": 5, "nt": 10, "y,": 100, "Bi": 5, "VO": 40, "OI": 10,
	"vi": 15, "wi": 10, "r ": -10, "ed": 5, "P,": 180, "11": 75,
}

func literal(s []byte) string {
	var b strings.Builder
	b.WriteByte('(')
	for _, c := range s {
		switch {
		case c == '(' || c == ')' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(')')
	return b.String()
}

// winAnsi is Windows code page 1252, as far as the samples need it.
func winAnsi(s string) []byte {
	var out []byte
	for _, r := range s {
		switch {
		case r == '€':
			out = append(out, 0x80)
		case r < 0x80, r >= 0xa0 && r <= 0xff:
			out = append(out, byte(r))
		default:
			panic(fmt.Sprintf("%q is not in the encoding", r))
		}
	}
	return out
}

// helveticaWidths are the widths of the printable ASCII characters, in
// thousandths of the size, from Adobe's metrics of the standard fonts.
var helveticaWidths = [...]int{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// helveticaWidth is the width of a text in points, rounded up. Accented
// letters and the bold font are taken to be as wide as the others: it is only
// for aligning numbers, and digits are all of one width.
func helveticaWidth(s string, size int) int {
	sum := 0
	for _, c := range winAnsi(s) {
		if i := int(c) - 0x20; i < len(helveticaWidths) {
			sum += helveticaWidths[i]
		} else {
			sum += 556
		}
	}
	return (sum*size + 999) / 1000
}
