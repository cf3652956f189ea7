package filing

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var someDay = time.Date(2026, 3, 9, 23, 0, 0, 0, time.Local)

func TestFolders(t *testing.T) {
	for pattern, want := range map[string]string{
		"{type}": "invoice", "{type}/{year}/{month}": "invoice/2026/03", "{year}/{month}-{day}/{type}": "2026/03-09/invoice",
		"archive/{year}_{type} (in)": "archive/2026_invoice (in)", "a+b/{type}": "a+b/invoice",
	} {
		f, err := ParseFolders(pattern)
		if err != nil {
			t.Errorf("%q: %v", pattern, err)
			continue
		}
		if got := f.Path("invoice", someDay); got != want {
			t.Errorf("%q gives %q", pattern, got)
		}
		for _, beneath := range []string{"", "/ACME", "/ACME/2020"} {
			if got := f.TypeName(want + beneath); !slices.Equal(got, []string{"invoice"}) {
				t.Errorf("%q: %q is of type %q", pattern, want+beneath, got)
			}
		}
	}
	if got := (Folders{}).Path("invoice", someDay) + (Folders{}).TypeName("invoice/2026")[0]; got != "invoiceinvoice" {
		t.Errorf("the zero value gives %q", got)
	}
	years := Folders{"{year}/{type}"}
	if got := years.TypeName("Letters/2026"); !slices.Equal(got, []string{"2026", "Letters"}) {
		t.Errorf("a folder that the pattern does not describe is of type %q", got)
	}
}

func TestFoldersAreRefused(t *testing.T) {
	for _, pattern := range []string{
		"", "archive", "{Type}", "{type}/{type}", "/{type}", "{type}/", "a//{type}", "{type}/..", "./{type}", "../{type}",
		"_review/{type}", "_failed/{type}", ".hidden/{type}", " /{type}", "{type} ", "{type}/{hour}", "{type}/{", "{type}}",
		`a\b/{type}`, "a\nb/{type}", "\u202e/{type}", "\xff/{type}", "{type}/" + strings.Repeat("x", 101),
	} {
		if _, err := ParseFolders(pattern); err == nil {
			t.Errorf("%q was accepted", pattern)
		}
	}
}

// Whatever the pattern and the code of the type, documents stay beneath sorted and out of
// docusort's own folders, and the folder tells the type again.
func FuzzFolders(f *testing.F) {
	f.Add("{type}/{year}", "../../etc")
	f.Add("{year}-{type}", "_review")
	f.Add("{type}{year}/x", "a{year}b")
	f.Fuzz(func(t *testing.T, pattern, code string) {
		folders, err := ParseFolders(pattern)
		if err != nil {
			return
		}
		name := FolderName(code)
		dir := folders.Path(name, someDay)
		for _, part := range strings.Split(dir, "/") {
			if part == "" || strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") || len(part) > maxName-50 || !utf8.ValidString(part) {
				t.Errorf("%q and %q give %q", pattern, code, dir)
			}
		}
		if !filepath.IsLocal(dir) || strings.Count(dir, "/") != strings.Count(pattern, "/") {
			t.Errorf("%q and %q give %q", pattern, code, dir)
		}
	})
}

func TestTypeNames(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"2026/invoice/05", "2025/invoice", "2025/a+b", "2025/.hidden", "2025/_x", "Letters/other", "_review/receipt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "2025", "a file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string][]string{
		"{year}/{type}/{month}": {"a+b", "invoice"}, "{type}": {"2025", "2026", "Letters"}, "none/{type}": nil,
	} {
		f, err := ParseFolders(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.TypeNames(root); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", pattern, got, err)
		}
	}
}
