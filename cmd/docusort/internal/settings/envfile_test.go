package settings

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []entry
		faults     []int // lines
	}{
		{"empty", "", nil, nil},
		{"plain", "A=1\nB_2=two words \t\n", []entry{{"A", "1", 1}, {"B_2", "two words", 2}}, nil},
		{"no end of line", "A=1", []entry{{"A", "1", 1}}, nil},
		{"comments and blanks", "# c\n\n ; d\n \t\n  A = 1\n", []entry{{"A", "1", 5}}, nil},
		{"no comment after a value", "A=1 # c\nB=#x", []entry{{"A", "1 # c", 1}, {"B", "#x", 2}}, nil},
		{"nothing", "A=\nB=''\nC=\"\"\n", []entry{{"A", "", 1}, {"B", "", 2}, {"C", "", 3}}, nil},
		{"equals", "A=b=c", []entry{{"A", "b=c", 1}}, nil},
		{"mark and CRLF", "\ufeffA=1\r\nB='x'\r\n#\r\nC=\"y\" \r\n", []entry{{"A", "1", 1}, {"B", "x", 2}, {"C", "y", 4}}, nil},
		{"inner quotes stay", `A={"a":"b c"}`, []entry{{"A", `{"a":"b c"}`, 1}}, nil},
		{"plain escapes", `A=\"a\\b\\` + "\nB=1", []entry{{"A", `"a\b\`, 1}, {"B", "1", 2}}, nil},
		{"single", "A='a\\n \"$b\"\\' \nB=1", []entry{{"A", "a\\n \"$b\"\\", 1}, {"B", "1", 2}}, nil},
		{"double", `A=" \"\\\$\` + "`" + `\n x"` + "\nB=1", []entry{{"A", " \"\\$`\\n x", 1}, {"B", "1", 2}}, nil},
		{"other letters", "A=ñandú 文", []entry{{"A", "ñandú 文", 1}}, nil},
		{"twice", "A=1\nA=2", []entry{{"A", "1", 1}, {"A", "2", 2}}, nil},

		{"no equals", "A\nB=1\nsecret", []entry{{"B", "1", 2}}, []int{1, 3}},
		{"no name", "=1\n1A=1\nA-B=1\nA B=1\nÄ=1\n", nil, []int{1, 2, 3, 4, 5}},
		{"export", "export A=1\nexport\tB=1\nexport=1", []entry{{"export", "1", 3}}, []int{1, 2}},
		{"open quotes hide nothing", "A='x\nB=\"y\nC=1", []entry{{"C", "1", 3}}, []int{1, 2}},
		{"several lines", "A=1\\\n2=3\nB=\"x\\\"\nC=3\\", nil, []int{1, 2, 3, 4}},
		{"after the quote", "A='x'y\nB=\"x\" # c\nC=1", []entry{{"C", "1", 3}}, []int{1, 2}},
		{"comment that goes on", "# a \\\nA=1", []entry{{"A", "1", 2}}, []int{1}},
		{"not UTF-8", "A=\xff\nB=1", []entry{{"B", "1", 2}}, []int{1}},
		{"NUL", "A=a\x00b\nB=1", []entry{{"B", "1", 2}}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, faults := parseFile([]byte(c.text))
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(entry{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var lines []int
			for _, f := range faults {
				lines = append(lines, f.line)
				if strings.Contains(f.text, "secret") {
					t.Errorf("the text of the line is shown: %s", f.text)
				}
			}
			if !slices.Equal(lines, c.faults) {
				t.Errorf("faults %+v, want lines %v", faults, c.faults)
			}
		})
	}
}

// FuzzParseFile: whatever the file, what is read from it can be written down in
// each of the three ways and is read as the same again.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{"A=1\n", "A='x", "A=\"\\\n\"", "\ufeff#\\\nB=\\", "A=1\r\n;\nexport C=2", "A=\"a\\\"b\"\nB='c'd"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, faults := parseFile(b)
		lines := strings.Count(string(b), "\n") + 1
		for _, x := range faults {
			if x.line < 1 || x.line > lines {
				t.Fatalf("fault in line %d of %d", x.line, lines)
			}
		}
		for _, e := range entries {
			if e.line < 1 || e.line > lines {
				t.Fatalf("entry in line %d of %d", e.line, lines)
			}
			double := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(e.value) + `"`
			for _, text := range []string{double, plainly(e.value), "'" + e.value + "'"} {
				if strings.HasPrefix(text, "'") && strings.Contains(e.value, "'") || strings.TrimRight(text, blanks) != text {
					continue
				}
				again, faults := parseFile(fmt.Appendf(nil, "%s=%s\n", e.name, text))
				if len(faults) > 0 || len(again) != 1 || again[0].name != e.name || again[0].value != e.value {
					t.Fatalf("%q written as %s is read as %+v %+v", e.value, text, again, faults)
				}
			}
		}
	})
}

// plainly writes a value without quotes.
func plainly(v string) string {
	var b strings.Builder
	for i := range len(v) {
		b.WriteByte('\\')
		b.WriteByte(v[i])
	}
	return b.String()
}
