package testdata_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

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
		f, err := formatOf(data)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		}
		formats[f] = true
	}
	want := []string{"bmp", "gif", "jpeg", "pdf", "png", "webp"}
	if got := slices.Sorted(maps.Keys(formats)); !slices.Equal(got, want) {
		t.Errorf("formats %q, want %q", got, want)
	}
}

// formatOf tells the format by content. A document that ends too early is an error.
func formatOf(data []byte) (format string, err error) {
	size, whole := uint32(len(data)), true
	switch {
	case bytes.HasPrefix(data, []byte("%PDF-1.")):
		format, whole = "pdf", bytes.HasSuffix(bytes.TrimSpace(data), []byte("%%EOF"))
	case bytes.HasPrefix(data, []byte("BM")):
		format, whole = "bmp", binary.LittleEndian.Uint32(data[2:]) == size
	case bytes.HasPrefix(data, []byte("RIFF")) && bytes.HasPrefix(data[8:], []byte("WEBP")):
		format, whole = "webp", binary.LittleEndian.Uint32(data[4:]) == size-8
	default:
		_, format, err = image.Decode(bytes.NewReader(data))
	}
	if !whole {
		err = errors.New("not whole")
	}
	return format, err
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

// TestNamesAreNotIgnored checks the names against the default of DOCUSORT_IGNORE.
func TestNamesAreNotIgnored(t *testing.T) {
	const ignored = ".*,*~,~$*,*.tmp,*.part,*.partial,*.crdownload,*.opdownload,*.download,*.filepart,*.aria2,*.sb-*,*:Zone.Identifier,@eaDir,@Recycle,@Recently-Snapshot,#recycle,#snapshot,$RECYCLE.BIN,RECYCLER,System Volume Information,lost+found,__MACOSX,Thumbs.db,ehthumbs.db,desktop.ini"
	for name := range samples(t) {
		for part := range strings.SplitSeq(name, "/") {
			for pattern := range strings.SplitSeq(ignored, ",") {
				if ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(part)); ok || err != nil {
					t.Errorf("%q: %q matches %q (%v)", name, part, pattern, err)
				}
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
