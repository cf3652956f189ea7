package display

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWidth(t *testing.T) {
	gives(t, "Width", Width, map[string]int{
		"":                           0,
		"scan.pdf":                   8,
		"Zürich":                     6,
		"e\u0301":                    1,
		"請求書":                        6,
		"ｆｕｌｌ":                       8,
		"\u1112\u1161\u11ab":         2, // a Korean syllable in three parts
		"한":                          2,
		"😀":                          2,
		"❤":                          1,
		"❤\ufe0f":                    2,
		"…→●✗":                       4,
		"\x1b[31mred\x1b[0m":         3,
		"\u3000":                     2,
		"\U00020000\u0e01\u0e33":     4,
		"a\u0301\u0302\u0303b\u20dd": 2,
	})
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text        string
		width       int
		end, middle string
	}{
		{"scan.pdf", 8, "scan.pdf", "scan.pdf"},
		{"scan.pdf", 7, "scan.p…", "sca…pdf"},
		{"scan.pdf", 2, "s…", "…f"},
		{"scan.pdf", 1, "…", "…"},
		{"scan.pdf", 0, "", ""},
		{"請求書請求書", 11, "請求書請求…", "請求…請求書"},
		{"請求書請求書", 6, "請求…", "請…書"},
		{"e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301…", "e\u0301…e\u0301"},
	} {
		if got := Cut(c.text, c.width); got != c.end {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.width, got, c.end)
		}
		if got := CutMiddle(c.text, c.width); got != c.middle {
			t.Errorf("CutMiddle(%q, %d) = %q, want %q", c.text, c.width, got, c.middle)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"a few words", 0, []string{"a few words"}},
		{"a few words", 11, []string{"a few words"}},
		{"a few words", 10, []string{"a few", "words"}},
		{"a incomprehensible word", 6, []string{"a", "incomp", "rehens", "ible", "word"}},
		{"請求書 請", 4, []string{"請求", "書", "請"}},
		{"請", 1, []string{"請"}},
		{"\x1b[31mred\x1b[0m and", 3, []string{"\x1b[31mred\x1b[0m", "and"}},
	} {
		if got := Wrap(c.text, c.width); !slices.Equal(got, c.want) {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestWhateverIsFittedFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := Printable(rapid.String().Draw(t, "text"))
		width := rapid.IntRange(1, 40).Draw(t, "width")
		for _, cut := range []string{Cut(text, width), CutMiddle(text, width)} {
			if Width(cut) > width {
				t.Errorf("%q takes %d columns of %d", cut, Width(cut), width)
			}
		}
		lines := Wrap(text, width)
		for _, line := range lines {
			if Width(line) > max(width, 4) { // the widest character needs four
				t.Errorf("%q takes %d columns of %d", line, Width(line), width)
			}
		}
		strip := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := strip(strings.Join(lines, "")); got != strip(text) {
			t.Errorf("wrapping %q lost something: %q", text, lines)
		}
		if got := Width(Pad(text, width)); got != max(width, Width(text)) {
			t.Errorf("padded to %d columns instead of %d", got, width)
		}
	})
}
