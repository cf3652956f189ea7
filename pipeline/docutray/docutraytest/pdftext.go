package docutraytest

import (
	"bytes"
	"encoding/ascii85"
	"strconv"
	"strings"
)

// pdfText takes the strings that a PDF's streams show. It reads no
// cross-references, so that damaged documents give text as well, and knows no
// fonts: text in a font's own numbering stays unread.
func pdfText(b *strings.Builder, doc []byte) {
	for b.Len() < maxText {
		at := bytes.Index(doc, []byte("stream"))
		if at < 0 {
			return
		}
		before, data := doc[:at], doc[at+len("stream"):]
		data = bytes.TrimPrefix(data, []byte("\r"))
		data = bytes.TrimPrefix(data, []byte("\n"))
		end := bytes.Index(data, []byte("endstream"))
		if end < 0 {
			end = len(data)
		}
		doc = data[min(len(data), end+len("endstream")):]
		if content, ok := decodeStream(dictionary(before), data[:end]); ok {
			shownText(b, content)
		}
	}
}

// dictionary returns what describes the stream that begins after before.
func dictionary(before []byte) []byte {
	before = before[max(0, len(before)-4096):]
	if i := bytes.LastIndex(before, []byte(" obj")); i >= 0 {
		before = before[i:]
	}
	return before
}

// decodeStream undoes the filters of a stream that may hold text.
func decodeStream(dict, data []byte) ([]byte, bool) {
	has := func(names ...string) bool {
		for _, n := range names {
			if bytes.Contains(dict, []byte(n)) {
				return true
			}
		}
		return false
	}
	if has("/Image", "/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode", "/FontFile",
		"/LZWDecode", "/Length1", "/ObjStm", "/XRef") {
		return nil, false
	}
	if has("/ASCII85Decode", "/A85") {
		data = bytes.TrimSuffix(bytes.TrimSpace(data), []byte("~>"))
		out := make([]byte, 4*len(data)+8)
		n, _, err := ascii85.Decode(out, data, true)
		if err != nil {
			return nil, false
		}
		data = out[:n]
	}
	if has("/FlateDecode", "/Fl ") {
		data = inflate(data)
	}
	return data, len(data) > 0
}

// shownText takes the strings that operators of a content stream show. Strings
// wait until their operator is known, for others take strings too.
func shownText(b *strings.Builder, s []byte) {
	var waiting []byte
	for i := 0; i < len(s) && b.Len() < maxText; {
		switch c := s[i]; {
		case c == '(':
			var text []byte
			text, i = literal(s, i+1)
			waiting = append(waiting, text...)
		case c == '<' && i+1 < len(s) && s[i+1] == '<', c == '>':
			i++
			if c == '<' {
				i++
			}
		case c == '<':
			var text []byte
			text, i = hexString(s, i+1)
			waiting = append(waiting, text...)
		case c == '%':
			for i < len(s) && s[i] != '\n' && s[i] != '\r' {
				i++
			}
		case isSpace(c) || c == '[' || c == ']' || c == '{' || c == '}' || c == ')':
			i++
		default:
			start := i
			for i++; i < len(s) && !isSpace(s[i]) && !strings.ContainsRune("()<>[]{}/%", rune(s[i])); i++ {
			}
			waiting = operator(b, string(s[start:i]), waiting)
		}
	}
}

// operator acts on a word of a content stream, and returns the strings that
// are still waiting after it.
func operator(b *strings.Builder, word string, waiting []byte) []byte {
	switch word {
	case "Tj", "TJ", "'", `"`:
		add(b, waiting)
		return waiting[:0]
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		// Inside a TJ array: a wide gap, in thousandths of the font's size,
		// is a space.
		if n <= -150 && len(waiting) > 0 {
			waiting = append(waiting, ' ')
		}
		return waiting
	}
	return waiting[:0]
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

// literal reads a string in parentheses from i, behind the first of them.
func literal(s []byte, i int) (text []byte, next int) {
	for depth := 1; i < len(s); i++ {
		c := s[i]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text, i + 1
			}
		case '\\':
			if i++; i == len(s) {
				return text, i
			}
			if c = s[i]; c >= '0' && c <= '7' {
				n := 0
				for k := 0; k < 3 && i < len(s) && s[i] >= '0' && s[i] <= '7'; k++ {
					n = n*8 + int(s[i]-'0')
					i++
				}
				i--
				c = byte(n)
			} else if c == '\n' || c == '\r' { // a line goes on
				continue
			} else if strings.IndexByte("nrtbf", c) >= 0 {
				c = ' '
			}
		}
		text = append(text, c)
	}
	return text, i
}

// hexString reads a string in angle brackets from i, behind the first.
func hexString(s []byte, i int) (text []byte, next int) {
	var digits []byte
	for ; i < len(s) && s[i] != '>'; i++ {
		if !isSpace(s[i]) {
			digits = append(digits, s[i])
		}
	}
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	for k := 0; k+1 < len(digits); k += 2 {
		n, err := strconv.ParseUint(string(digits[k:k+2]), 16, 8)
		if err != nil {
			break
		}
		if n != 0 { // two bytes a character, the first of them 0
			text = append(text, byte(n))
		}
	}
	return text, min(i+1, len(s))
}
