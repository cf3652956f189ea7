package format

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// counted counts reads and the bytes read. Each read takes some time.
type counted struct {
	io.ReaderAt
	reads, bytes int
	pause        time.Duration
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	time.Sleep(c.pause)
	return c.ReaderAt.ReadAt(p, off)
}

// costly are files that take long to look through: by name, a beginning and what
// follows it for ever.
var costly = map[string][2]string{
	"GIF of small blocks":   {"GIF89a\x01\x00\x01\x00\x00\x00\x00\x21\xfe", "\x01x"},
	"GIF of extensions":     {"GIF89a\x01\x00\x01\x00\x00\x00\x00", "\x21\xfe\x00"},
	"JPEG of fill bytes":    {"\xff\xd8\xff", "\xff"},
	"JPEG of segments":      {"\xff\xd8", "\xff\xe0\x00\x02"},
	"PDF that is padded":    {"%PDF-1.4\n", "\x00"},
	"PNG that is padded":    {"\x89PNG\r\n\x1a\n", "\x00"},
	"zeros, the last block": {"\x00", "\x00"},
}

// However it is made, a file costs no more than so many bytes and so much time.
func TestLooksAreBounded(t *testing.T) {
	const size = 64 << 20
	for name, c := range costly {
		content := append([]byte(c[0]), bytes.Repeat([]byte(c[1]), size/len(c[1]))...)
		for look, f := range map[string]func(io.ReaderAt, int64) bool{"Complete": Complete, "Blank": Blank} {
			r := &counted{ReaderAt: bytes.NewReader(content)}
			f(r, int64(len(content)))
			if r.bytes > 2<<20 || r.reads > 1200 {
				t.Errorf("%s of %s reads %d bytes in %d steps", look, name, r.bytes, r.reads)
			}
			synctest.Test(t, func(t *testing.T) {
				r := &counted{ReaderAt: bytes.NewReader(content), pause: 300 * time.Millisecond}
				began := time.Now()
				f(r, int64(len(content)))
				if took := time.Since(began); took > lookTime+2*r.pause {
					t.Errorf("%s of %s on a slow disk takes %v", look, name, took)
				}
			})
		}
	}
}

// A GIF that is too large to be walked over is whole where a block and the trailer end it.
func TestLargeGIF(t *testing.T) {
	begin := append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x21\xfe"), bytes.Repeat([]byte("\x01x"), walkWindow)...)
	for end, want := range map[string]bool{"\x00\x3b": true, "\x00\x3b\x00\x00\x00": true, "\x01\x3b": false, "\x00": false, "": false} {
		if got := complete(append(bytes.Clone(begin), end...)); got != want {
			t.Errorf("ending in %q: %v", end, got)
		}
	}
	if complete(append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00nonsense"), append(begin, "\x00\x3b"...)...)) {
		t.Error("whole although its blocks are not blocks")
	}
}

func TestBlank(t *testing.T) {
	for _, size := range []int{1, 100, blankBlock, blankBlock + 1, 1 << 20, 10_000_001} {
		zeros := make([]byte, size)
		if !Blank(bytes.NewReader(zeros), int64(size)) {
			t.Errorf("%d zeros: not blank", size)
		}
		for _, at := range []int{0, size / 2, size - 1} {
			if size > 1<<20 && at == size/2 {
				continue // only parts of it are looked at
			}
			zeros[at] = 1
			if Blank(bytes.NewReader(zeros), int64(size)) {
				t.Errorf("%d zeros, but for byte %d: blank", size, at)
			}
			zeros[at] = 0
		}
	}
	if Blank(bytes.NewReader(nil), 0) || Blank(failingReader{}, 100) || Blank(bytes.NewReader([]byte{0}), 100) {
		t.Error("a file that is empty, unreadable or shorter than told is blank")
	}
}
