package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFolderName(t *testing.T) {
	for code, want := range map[string]string{
		"invoice":                        "invoice",
		"Factura de compra":              "Factura de compra",
		"発票":                             "発票",
		"":                               "unknown",
		"..":                             "unknown",
		"../../etc/passwd":               "etcpasswd",
		`..\..\x`:                        "x",
		"_review":                        "review",
		"._.failed":                      "failed",
		" _ .x":                          "x",
		"a\u202egpj.exe":                 "agpj.exe",
		"a\u200bb\ufeffc":                "abc",
		"\u3164":                         "unknown",
		"\U000e0041":                     "unknown",
		"a\x00b\nc\x7fd\u0085e\u2028f":   "abcdef",
		"\u00a0x\u3000":                  "x",
		"\u200b.\u200b.":                 "unknown",
		"bad\xffbyte\xc3":                "badbyte",
		"real\ufffd":                     "real\ufffd",
		strings.Repeat("x", 101):         strings.Repeat("x", 100),
		strings.Repeat("x", 99) + "é":    strings.Repeat("x", 99),
		strings.Repeat("x", 98) + "é":    strings.Repeat("x", 98) + "é",
		strings.Repeat("x", 99) + "  yy": strings.Repeat("x", 99),
		"a.b_c":                          "a.b_c",
	} {
		if got := FolderName(code); got != want {
			t.Errorf("FolderName(%q) = %q, want %q", code, got, want)
		}
		checkFolderName(t, code)
	}
}

func checkFolderName(t interface{ Fatalf(string, ...any) }, code string) {
	name := FolderName(code)
	bad := func(r rune) bool {
		return r == '/' || r == '\\' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	}
	switch {
	case name == "" || len(name) > 100 || !utf8.ValidString(name),
		strings.IndexFunc(name, bad) >= 0,
		name[0] == '.', name[0] == '_',
		strings.TrimFunc(name, unicode.IsSpace) != name,
		FolderName(name) != name,
		!filepath.IsLocal(name) || filepath.Base(name) != name:
		t.Fatalf("FolderName(%q) = %q", code, name)
	}
}

func FuzzFolderName(f *testing.F) {
	for _, s := range []string{"", "..", "_review", "\u202e", "\xff/", strings.Repeat("é", 80)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFolderName(t, s) })
}

func TestNameWithSuffix(t *testing.T) {
	x := strings.Repeat
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"scan.pdf", 1, "scan.pdf"},
		{"scan.pdf", 2, "scan-2.pdf"},
		{"scan.PDF", 13, "scan-13.PDF"},
		{"scan", 2, "scan-2"},
		{"scan.", 2, "scan.-2"},
		{".bashrc", 2, ".bashrc-2"},
		{".hidden.pdf", 2, ".hidden-2.pdf"},
		{"a.tar.gz", 2, "a.tar-2.gz"},
		{".tar.gz", 2, ".tar-2.gz"},
		{"report.v2.pdf", 2, "report.v2-2.pdf"},
		{"Dr. Who", 2, "Dr. Who-2"},
		{"invoice 2024.01", 2, "invoice 2024.01-2"},
		{"文書.文档", 2, "文書-2.文档"},
		{"\xff\xfe.pdf", 2, "\xff\xfe-2.pdf"},
		{x("a", 251) + ".pdf", 1, x("a", 251) + ".pdf"},
		{x("a", 251) + ".pdf", 2, x("a", 249) + "-2.pdf"},
		{x("a", 250) + "é.pdf", 1, x("a", 250) + ".pdf"},
		{x("é", 125) + ".pdf", 10, x("é", 124) + "-10.pdf"},
		{x("\xff", 251) + ".pdf", 2, x("\xff", 249) + "-2.pdf"},
		{x("a", 255), 2, x("a", 253) + "-2"},
		{"." + x("a", 254), 100, "." + x("a", 250) + "-100"},
		{"a." + x("b", 253), 2, "a." + x("b", 251) + "-2"},
	} {
		if got := nameWithSuffix(c.name, c.n, maxName); got != c.want {
			t.Errorf("nameWithSuffix(%q, %d, maxName) = %q, want %q", c.name, c.n, got, c.want)
		}
		checkSuffix(t, c.name, c.n)
	}
}

func checkSuffix(t interface{ Fatalf(string, ...any) }, name string, n int) {
	got := nameWithSuffix(name, n, maxName)
	switch {
	case len(got) > 255,
		n <= 1 && len(name) <= 255 && got != name,
		n > 1 && !strings.Contains(got, fmt.Sprint("-", n)),
		utf8.ValidString(name) && !utf8.ValidString(got),
		!strings.Contains(name, "/") && strings.Contains(got, "/"),
		n > 1 && got == nameWithSuffix(name, n+1, maxName):
		t.Fatalf("nameWithSuffix(%q, %d, maxName) = %q", name, n, got)
	}
}

func FuzzNameWithSuffix(f *testing.F) {
	f.Add("scan.pdf", 2)
	f.Add(strings.Repeat("é", 140), 100)
	f.Add("a."+strings.Repeat("\xff", 300), 3)
	f.Fuzz(func(t *testing.T, name string, n int) {
		if name != "" {
			checkSuffix(t, name, min(n, 1<<30))
		}
	})
}

func TestFreeName(t *testing.T) {
	dir := t.TempDir()
	touch := func(names ...string) {
		for _, n := range names {
			must(t, os.WriteFile(filepath.Join(dir, n), nil, 0o644))
		}
	}
	free := func(want, name string, companions []string, taken func(string) bool) {
		t.Helper()
		if got, err := FreeName(dir, name, companions, taken); err != nil || got != want {
			t.Errorf("FreeName(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	free("scan.pdf", "scan.pdf", nil, nil)
	touch("scan.pdf")
	free("scan-2.pdf", "scan.pdf", nil, nil)
	must(t, os.Symlink("/nowhere", filepath.Join(dir, "scan-2.pdf")))
	free("scan-3.pdf", "scan.pdf", nil, nil)
	touch("scan-3.pdf.json")
	free("scan-3.pdf", "scan.pdf", nil, nil)
	free("scan-4.pdf", "scan.pdf", []string{".json"}, nil)
	free("scan-4.pdf", "scan.pdf", []string{".error.json", ".json"}, nil)
	free("scan-5.pdf", "scan.pdf", []string{".json"}, func(s string) bool { return s == "scan-4.pdf" })
	free("scan-5.pdf", "scan.pdf", []string{".json"}, func(s string) bool { return s == "scan-4.pdf.json" })

	long := strings.Repeat("a", 250) + ".pdf"
	free(strings.Repeat("a", 240)+".pdf", long, []string{".error.json"}, nil)
	touch(strings.Repeat("a", 240) + ".pdf")
	free(strings.Repeat("a", 238)+"-2.pdf", long, []string{".json", ".error.json"}, nil)

	if got, err := FreeName(filepath.Join(dir, "none"), "x", nil, nil); got != "x" || err != nil {
		t.Errorf("in a folder yet to be made: %q, %v", got, err)
	}
	for _, bad := range []string{"", ".", "..", "a/b", "a\x00"} {
		if got, err := FreeName(dir, bad, nil, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("FreeName(%q) = %q, %v", bad, got, err)
		}
	}
	if _, err := FreeName(dir, "x", nil, func(string) bool { return true }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("everything taken: %v", err)
	}
	if _, err := FreeName(filepath.Join(dir, "scan.pdf"), "x", nil, nil); err == nil {
		t.Error("a file for a folder: no error")
	}
}

// Ten thousand documents of one name must not cost fifty million looks.
func TestFreeNameGallops(t *testing.T) {
	const n = 10_000
	used := map[string]bool{}
	looks := 0
	dir := t.TempDir()
	for i := 1; i <= n; i++ {
		looks = 0
		name, err := FreeName(dir, "scan.pdf", nil, func(s string) bool { looks++; return used[s] })
		must(t, err)
		if want := nameWithSuffix("scan.pdf", i, maxName); name != want {
			t.Fatalf("%d: %q", i, name)
		}
		used[name] = true
	}
	if looks > 40 {
		t.Errorf("%d looks for one name", looks)
	}
}

// Whatever is taken, what comes back is free, and fits with its companions.
func TestFreeNameIsFree(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zé.]{1,120}`).Filter(func(s string) bool { return s != "." && s != ".." }).Draw(t, "name")
		companions := rapid.SliceOfN(rapid.StringMatching(`\.[a-z.]{1,20}`), 0, 3).Draw(t, "companions")
		holes := rapid.SliceOfN(rapid.IntRange(1, 40), 0, 60).Draw(t, "used")
		used := map[string]bool{}
		limit := maxName
		for _, c := range companions {
			limit = min(limit, maxName-len(c))
		}
		for i, n := range holes {
			s := nameWithSuffix(name, n, limit)
			if i%2 == 1 && len(companions) > 0 {
				s += companions[i%len(companions)]
			}
			used[s] = true
		}
		got, err := FreeName(dir, name, companions, func(s string) bool { return used[s] })
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(companions, "") {
			if used[got+c] || len(got+c) > 255 {
				t.Fatalf("%q + %q: used %v, %d bytes", got, c, used[got+c], len(got+c))
			}
		}
	})
}
