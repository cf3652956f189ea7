package display

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{
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
	} {
		if got := Width(text); got != want {
			t.Errorf("Width(%q) = %d, want %d", text, got, want)
		}
	}
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
			if Width(line) > max(width, 2) { // a wide character needs two
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

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 polls", 1: "1 poll", 1204: "1,204 polls"} {
		if got := Things(n, "poll"); got != want {
			t.Errorf("Things(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		-time.Second:                  {"0 s", "0 s"},
		850 * time.Millisecond:        {"850 ms", "0 s"},
		3190 * time.Millisecond:       {"3.1 s", "3 s"},
		12400 * time.Millisecond:      {"12 s", "12 s"},
		time.Minute:                   {"1 min", "60 s"},
		4*time.Minute + 5*time.Second: {"4 min 5 s", "4 min"},
		26 * time.Hour:                {"1 d 2 h", "26 h"},
		50 * time.Hour:                {"2 d 2 h", "2 d"},
		3*year + 40*day:               {"3 y 40 d", "3 y"},
		200 * year:                    {"200 y", "200 y"},
		24*time.Hour + 5*time.Minute:  {"1 d", "24 h"},
	} {
		if got := [2]string{Duration(d), Age(d)}; got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestMoments(t *testing.T) {
	zone := time.FixedZone("CEST", 2*60*60)
	now := time.Date(2026, 7, 2, 0, 30, 0, 0, zone)
	for at, want := range map[time.Time]string{
		time.Date(2026, 7, 1, 22, 27, 0, 0, time.UTC): "00:27 (3 min ago)",
		time.Date(2026, 7, 1, 21, 30, 0, 0, time.UTC): "2026-07-01 23:30 (60 min ago)",
		time.Date(2026, 7, 31, 22, 0, 0, 0, time.UTC): "2026-08-01 00:00 (in 29 d)",
	} {
		if got := Moment(at, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
