package testdata_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"docusort/pipeline/format"
	"docusort/testdata"
)

// samples reads the whole inbox.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := fs.WalkDir(testdata.Inbox(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found[name], err = fs.ReadFile(testdata.Inbox(), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTypes compares the table of types with the files.
func TestTypes(t *testing.T) {
	types := testdata.Types()
	inFolder, inTable := slices.Sorted(maps.Keys(samples(t))), slices.Sorted(maps.Keys(types))
	if !slices.Equal(inFolder, inTable) {
		t.Errorf("the folder holds\n%q\nand the table\n%q", inFolder, inTable)
	}
	for name, code := range types {
		if code != testdata.Other && !slices.Contains(testdata.Options(), code) {
			t.Errorf("%q: type %q is not among the options", name, code)
		}
	}
}

// TestFormats expects every sample to be whole, and all six formats among them.
func TestFormats(t *testing.T) {
	formats := map[string]bool{}
	for name, data := range samples(t) {
		if !format.Complete(bytes.NewReader(data), int64(len(data))) {
			t.Errorf("%q is not whole", name)
		}
		formats[format.Sniff(data)] = true
	}
	want := []string{format.PDF, format.BMP, format.GIF, format.JPEG, format.PNG, format.WebP}
	if got := slices.Sorted(maps.Keys(formats)); !slices.Equal(got, want) {
		t.Errorf("formats %q, want %q", got, want)
	}
}

// TestWords searches the bytes of each sample, as the stand-in does, for the
// words of its own type and of the others.
func TestWords(t *testing.T) {
	words := map[string][]string{
		testdata.Invoice:  {"invoice", "bill to", "amount due", "factura"},
		testdata.Receipt:  {"receipt", "total paid", "change due", "recibo"},
		testdata.Contract: {"contract", "agreement", "hereinafter", "the parties"},
	}
	for name, data := range samples(t) {
		text := strings.ToLower(string(data))
		for code, list := range words {
			has := slices.ContainsFunc(list, func(w string) bool { return strings.Contains(text, w) })
			if want := testdata.Types()[name] == code; has != want {
				t.Errorf("%q has words of type %s: %v, want %v", name, code, has, want)
			}
		}
	}
}

// TestAwkwardCases checks that the pairs which the demo relies on are there: two
// documents with the same bytes, and two with the same name.
func TestAwkwardCases(t *testing.T) {
	found := samples(t)
	if !bytes.Equal(found["invoice-2041.pdf"], found["archive/2025/copy of invoice-2041.pdf"]) {
		t.Error("no two documents have the same bytes")
	}
	if bytes.Equal(found["january/statement.pdf"], found["february/statement.pdf"]) {
		t.Error("no two documents have the same name and different bytes")
	}
}
