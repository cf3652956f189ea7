package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"testing/iotest"
)

func picture() *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.White, color.Black, color.Gray{99}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i % 3)
	}
	return m
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sampleBMP() []byte {
	const width, height, row = 5, -3, 16 // rows of 15 bytes, padded
	b := []byte("BM")
	for _, v := range []any{
		uint32(54 + row*3), uint32(0), uint32(54),
		uint32(40), int32(width), int32(height), uint16(1), uint16(24), uint32(0), uint32(0), [4]uint32{},
		[row * 3]byte{7},
	} {
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

func sampleWebP() []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8L\x0a\x00\x00\x00\x2f123456789")
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

const samplePDF = "%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\nxref\n0 2\ntrailer\n<</Root 1 0 R>>\nstartxref\n42\n%%EOF"

// samples are whole files, by the content type that they are of.
func samples(t testing.TB) map[string][]byte {
	thumbnail := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(), nil) })
	withThumbnail := append([]byte("\xff\xd8\xff\xe1"), byte((len(thumbnail)+2)>>8), byte(len(thumbnail)+2))
	withThumbnail = append(append(withThumbnail, thumbnail...), thumbnail[2:]...)
	return map[string][]byte{
		"image/jpeg":               thumbnail,
		"image/jpeg; thumbnail":    withThumbnail,
		"image/png":                encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture()) }),
		"image/gif":                encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, picture(), nil) }),
		"image/bmp":                sampleBMP(),
		"image/webp":               sampleWebP(),
		"application/pdf":          []byte(samplePDF),
		"application/pdf; shifted": []byte(strings.Repeat("junk ", 200) + samplePDF),
		"application/pdf; updated": []byte(samplePDF + "\n2 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF"),
	}
}

func TestSniff(t *testing.T) {
	for name, content := range samples(t) {
		want, _, _ := strings.Cut(name, ";")
		// More than SniffLength is never needed.
		for _, head := range [][]byte{content, content[:min(len(content), SniffLength)]} {
			if got := Sniff(head); got != want {
				t.Errorf("%s, %d bytes: %q", name, len(head), got)
			}
		}
	}
	tar := make([]byte, 600)
	copy(tar, "scan.pdf")
	copy(tar[257:], "ustar")
	copy(tar[512:], samplePDF)
	for name, content := range map[string]string{
		"empty":            "",
		"text":             "hello",
		"BM text":          "BMW is a make of cars, and this is a long enough text about it",
		"BM of zeros":      "BM" + strings.Repeat("\x00", 100),
		"BM, three planes": strings.Replace(string(sampleBMP()), "\x01\x00\x18", "\x03\x00\x18", 1),
		"text about PDF":   "a file starts with %PDF- and a version",
		"PDF too far":      strings.Repeat("x", 1024) + samplePDF,
		"zip of a PDF":     "PK\x03\x04" + strings.Repeat("\x00", 30) + samplePDF,
		"tar of a PDF":     string(tar),
		"RIFF sound":       "RIFF\x24\x00\x00\x00WAVEfmt ",
		"TIFF":             "II*\x00\x08\x00\x00\x00",
		"cut signature":    "\x89PN",
		"two bytes":        "\xff\xd8",
		"SVG":              "<svg xmlns='http://www.w3.org/2000/svg'/>",
	} {
		if got := Sniff([]byte(content)); got != "" {
			t.Errorf("%s: taken for %s", name, got)
		}
	}
}

func complete(b []byte) bool { return Complete(bytes.NewReader(b), int64(len(b))) }

// A whole file is complete, and no beginning of it is.
func TestComplete(t *testing.T) {
	for name, content := range samples(t) {
		if !complete(content) {
			t.Errorf("%s: not complete", name)
		}
		updated := strings.Index(string(content), "%%EOF") + 5 // a whole file before its update
		for n := range content {
			pdf := strings.Contains(name, "pdf")
			if Sniff(content[:n]) != "" && complete(content[:n]) &&
				!(pdf && n >= updated && !pdfObject.Match(content[updated:n])) {
				t.Errorf("%s: complete after %d of %d bytes", name, n, len(content))
			}
		}
		// Preallocated: the length is there, the end is not. Where only the
		// length counts, that cannot be told.
		half := append(bytes.Clone(content[:len(content)*39/40]), make([]byte, 200_000)...)
		if !strings.Contains(name, "bmp") && !strings.Contains(name, "webp") && complete(half) {
			t.Errorf("%s: complete with zeros for its end", name)
		}
		for _, after := range []string{"\n", "trailing words of a printer driver", strings.Repeat("\x00", 300_000), strings.Repeat("\r\n", 8000)} {
			if !complete(append(bytes.Clone(content), after...)) {
				t.Errorf("%s: not complete with %d bytes after it", name, len(after))
			}
		}
	}
	web := fmt.Sprintf("%%PDF-1.4\n1 0 obj\n<</Linearized 1/L %d/H [1 2]/O 3>>\nendobj\nstartxref\n0\n%%%%EOF\n", 5000)
	for name, c := range map[string]struct {
		content string
		want    bool
	}{
		"empty":                     {"", false},
		"unknown":                   {"x", true},
		"cut after its first xref":  {web, false},
		"cut in the pages":          {strings.Replace(web, "/L 5000", "/L 50", 1) + "2 0 obj\n<</Length 9", false},
		"whole, for the web":        {web + "2 0 obj endobj" + strings.Repeat(" ", 5000) + "%%EOF", true},
		"BMP without its length":    {strings.Replace(string(sampleBMP()), "f\x00\x00\x00", "\x00\x00\x00\x00", 1), true},
		"JPEG of segments only":     {"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", false},
		"JPEG of endless fill":      {"\xff\xd8" + strings.Repeat("\xff", 50_000), false},
		"PDF mark far from the end": {samplePDF + strings.Repeat("x", tailWindow), false},
	} {
		if got := complete([]byte(c.content)); got != c.want {
			t.Errorf("%s: complete = %v", name, got)
		}
	}
	// A file that shrank, and one that cannot be read.
	if Complete(strings.NewReader(samplePDF), int64(len(samplePDF))+1000) {
		t.Error("complete although shorter than told")
	}
	if Complete(failingReader{}, 100) {
		t.Error("complete although unreadable")
	}
}

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, iotest.ErrTimeout }

func FuzzComplete(f *testing.F) {
	for _, content := range samples(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if got := complete(content); Sniff(content) == "" && got != (len(content) > 0) {
			t.Fatalf("Complete = %v for an unknown format of %d bytes", got, len(content))
		}
	})
}
