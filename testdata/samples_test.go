package testdata_test

import (
	"bytes"
	"crypto/sha256"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"docusort/testdata"
)

const (
	maxFile = 40 << 10  // the samples travel inside the binary,
	maxAll  = 500 << 10 // which should stay small
)

// samples reads the whole inbox.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	inbox := testdata.Inbox()
	err := fs.WalkDir(inbox, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found[name], err = fs.ReadFile(inbox, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// format goes by the signature alone, as the service does.
func format(data []byte) string {
	for _, f := range []struct{ name, at0, at8 string }{
		{"jpeg", "\xff\xd8\xff", ""},
		{"png", "\x89PNG\r\n\x1a\n", ""},
		{"gif", "GIF89a", ""},
		{"bmp", "BM", ""},
		{"webp", "RIFF", "WEBP"},
		{"pdf", "%PDF-1.", ""},
	} {
		if bytes.HasPrefix(data, []byte(f.at0)) && len(data) > 8 && bytes.HasPrefix(data[8:], []byte(f.at8)) {
			return f.name
		}
	}
	return ""
}

func TestEverySampleHasItsType(t *testing.T) {
	types := testdata.Types()
	found := samples(t)
	for name := range found {
		if types[name] == "" {
			t.Errorf("%q is in the folder but not in the table", name)
		}
	}
	for name, code := range types {
		if found[name] == nil {
			t.Errorf("%q is in the table but not in the folder", name)
		}
		if code != testdata.Other && !slices.Contains(testdata.Options(), code) {
			t.Errorf("%q is of type %q, which nobody asks for", name, code)
		}
	}
	if len(found) < 18 {
		t.Errorf("%d samples, want 18 at least", len(found))
	}
}

func TestAllFormatsAndTypes(t *testing.T) {
	formats, types := map[string]int{}, map[string]int{}
	for name, data := range samples(t) {
		f := format(data)
		if f == "" {
			t.Errorf("%q is of no known format", name)
		}
		formats[f]++
		types[testdata.Types()[name]]++
	}
	if len(formats) != 6 {
		t.Errorf("formats: %v, want all six", formats)
	}
	if len(types) < 4 {
		t.Errorf("types: %v, want four at least", types)
	}
	t.Logf("formats %v, types %v", formats, types)
}

func TestSamplesAreSmall(t *testing.T) {
	all := 0
	for name, data := range samples(t) {
		all += len(data)
		if len(data) > maxFile {
			t.Errorf("%q has %d bytes, want %d at most", name, len(data), maxFile)
		}
	}
	if all > maxAll {
		t.Errorf("%d bytes in all, want %d at most", all, maxAll)
	}
}

// TestNoSampleIsIgnored holds the names against the default of DOCUSORT_IGNORE.
func TestNoSampleIsIgnored(t *testing.T) {
	const ignored = ".*,*~,~$*,*.tmp,*.part,*.partial,*.crdownload,*.download,*.filepart,@eaDir,__MACOSX,Thumbs.db,desktop.ini"
	for name := range samples(t) {
		for _, part := range strings.Split(name, "/") {
			for _, pattern := range strings.Split(ignored, ",") {
				if ok, err := path.Match(pattern, part); ok || err != nil {
					t.Errorf("%q: %q matches %q (%v)", name, part, pattern, err)
				}
			}
		}
	}
}

// TestAwkwardOnPurpose keeps the cases that the folder is there for.
func TestAwkwardOnPurpose(t *testing.T) {
	found := samples(t)
	byContent, byBase := map[[32]byte]int{}, map[string]map[[32]byte]bool{}
	sameBytes, sameName, wrongExtension, noExtension := false, false, false, false
	for name, data := range found {
		sum := sha256.Sum256(data)
		byContent[sum]++
		sameBytes = sameBytes || byContent[sum] > 1
		base := path.Base(name)
		if byBase[base] == nil {
			byBase[base] = map[[32]byte]bool{}
		}
		byBase[base][sum] = true
		sameName = sameName || len(byBase[base]) > 1
		extension := strings.ToLower(path.Ext(base))
		noExtension = noExtension || extension == ""
		wrongExtension = wrongExtension || extension == ".jpg" && format(data) == "png"
	}
	for what, ok := range map[string]bool{
		"two identical documents":               sameBytes,
		"two documents of one name":             sameName,
		"a PNG called .jpg":                     wrongExtension,
		"a name without an extension":           noExtension,
		"a leading dash":                        found["-rf.gif"] != nil,
		"an upper-case extension":               found["SCAN0001.PDF"] != nil,
		"a leading space and a space at an end": found[" till  slip .png"] != nil,
	} {
		if !ok {
			t.Errorf("there is no sample with %s", what)
		}
	}
}

func TestPicturesDecode(t *testing.T) {
	for name, data := range samples(t) {
		f := format(data)
		if f == "pdf" {
			continue
		}
		img, got, err := image.Decode(bytes.NewReader(data))
		if err != nil || got != f {
			t.Errorf("%q: format %q, error %v; want %q", name, got, err, f)
			continue
		}
		if b := img.Bounds(); name == "phone/IMG_0001.JPG" && b.Dy()*10 < b.Dx()*22 {
			t.Errorf("%q is %v: not as tall and narrow as a receipt", name, b.Size())
		}
	}
}

// keywords are what tells the types apart without reading.
var keywords = map[string][]string{
	testdata.Invoice:  {"invoice", "bill to", "amount due", "factura"},
	testdata.Receipt:  {"receipt", "total paid", "change due", "thank you for your purchase", "recibo"},
	testdata.Contract: {"contract", "agreement", "hereinafter", "the parties", "contrato"},
}

// TestWords checks that each sample can be recognised by its text, and by the
// words of no other type. The parking slip has none: its shape must do.
func TestWords(t *testing.T) {
	for name, data := range samples(t) {
		readable := string(data)
		if format(data) == "pdf" {
			readable = pdfText(data)
			if readable == "" {
				t.Errorf("%q: no text found", name)
			}
		}
		readable = strings.ToLower(readable)
		for code, words := range keywords {
			var has []string
			for _, w := range words {
				if strings.Contains(readable, w) {
					has = append(has, w)
				}
			}
			want := code == testdata.Types()[name] && name != "phone/IMG_0001.JPG"
			if want != (len(has) > 0) {
				t.Errorf("%q: words of type %s: %q; it is of type %s", name, code, has, testdata.Types()[name])
			}
		}
	}
}
