package display

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var escapes = regexp.MustCompile(`\\x[0-9a-fA-F]{2}`)

// unescape is what the package comment promises: replace every \xNN by its byte.
func unescape(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(e string) string {
		n, _ := strconv.ParseUint(e[2:], 16, 8)
		return string([]byte{byte(n)})
	})
}

func TestNameEscapesWhatIsNotUTF8(t *testing.T) {
	gives(t, "Name", Name, map[string]string{
		"scan.pdf":         "scan.pdf",
		"Zürich 請求書.pdf":   "Zürich 請求書.pdf",
		"a\xffb":           `a\xffb`,
		`a\xffb`:           `a\x5cxffb`,
		`a\xFFb`:           `a\x5cxFFb`,
		`C:\scans\x.pdf`:   `C:\scans\x.pdf`,
		"\\\xff":           `\\xff`,
		"\\x\xff":          `\x\xff`,
		"\\xf\xff":         `\xf\xff`,
		"a\xe2\x82":        `a\xe2\x82`,
		"\xed\xa0\x80":     `\xed\xa0\x80`,
		"\ufffd":           "\ufffd",
		"line\nbreak\x1b[": "line\nbreak\x1b[", // JSON has its own way with these
	})
}

func TestPrintableShowsNothingThatATerminalObeys(t *testing.T) {
	gives(t, "Printable", Printable, map[string]string{
		"scan.pdf":                        "scan.pdf",
		"Scan 9.41\u202fAM":               "Scan 9.41\u202fAM",
		"e\u0301te\u0301.pdf":             "e\u0301te\u0301.pdf",
		"각":                               "각",
		"a\nb\tc\x1b[2J\x7f":              `a\x0ab\x09c\x1b[2J\x7f`,
		"c1\u009b2J":                      `c1\xc2\x9b2J`,
		"fdp.\u202egpj":                   `fdp.\xe2\x80\xaegpj`,
		"in\u200bvoice":                   `in\xe2\x80\x8bvoice`,
		"fill\u3164er":                    `fill\xe3\x85\xa4er`,
		" a":                              `\x20a`,
		"a ":                              `a\x20`,
		"a  b":                            `a \x20b`,
		"a b":                             "a b",
		"a → b":                           `a \xe2\x86\x92 b`,
		"\u0301a":                         `\xcc\x81a`,
		" \u0301a":                        `\x20\xcc\x81a`,
		"a\u0301\u0301\u0301\u0301\u0301": "a\u0301\u0301\u0301\u0301" + `\xcc\x81`,
		`a\x1b`:                           `a\x5cx1b`,
	})
}

func TestProseIsOneLine(t *testing.T) {
	gives(t, "Prose", Prose, map[string]string{
		"502:\r\n\t<html> \n": "502: <html>",
		"bell\a\x1b[31m":      `bell\x07\x1b[31m`,
		`open "a\xff": no`:    `open "a\xff": no`,
		"bad\xff":             `bad\xff`,
	})
	if got := Text("two\nlines\xff"); got != "two\nlines\\xff" {
		t.Errorf("Text gave %q", got)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a\xffb", "a\nb\x7f\u2028\u2029\u202e", `\x5c`, `\\x5c\xff`, "a  b → c\u202e\u0301", "\\x\xff4", "👨‍👩‍👧.pdf", " "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for how, shown := range map[string]string{"Name": Name(name), "Line": Line(name), "Printable": Printable(name)} {
			if !utf8.ValidString(shown) {
				t.Errorf("%s(%q) = %q is not UTF-8", how, name, shown)
			}
			if back := unescape(shown); back != name {
				t.Errorf("%s(%q) = %q, which reads as %q", how, name, shown, back)
			}
		}
		if utf8.ValidString(name) && !escapes.MatchString(name) && Name(name) != name {
			t.Errorf("Name(%q) = %q without need", name, Name(name))
		}
		if line := Line(name); strings.ContainsFunc(line, unicode.IsControl) || strings.ContainsAny(line, "\u2028\u2029\u202e\u2066") {
			t.Errorf("Line(%q) = %q is more than a line", name, line)
		}
		for how, shown := range map[string]string{"Printable": Printable(name), "Prose": Prose(name)} {
			for _, r := range shown {
				if !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) {
					t.Errorf("%s(%q) = %q has %U", how, name, shown, r)
				}
			}
			if strings.Contains(shown, "  ") || strings.TrimSpace(shown) != shown {
				t.Errorf("%s(%q) = %q has loose spaces", how, name, shown)
			}
			if strings.Contains(shown, Arrow) {
				t.Errorf("%s(%q) = %q has an arrow", how, name, shown)
			}
		}
	})
}
