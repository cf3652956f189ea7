package format

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// SniffLength is how many bytes from the start of a file [Sniff] looks at.
const SniffLength = 1024 + 8

// The media types of the formats that the service accepts.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	GIF  = "image/gif"
	BMP  = "image/bmp"
	WebP = "image/webp"
	PDF  = "application/pdf"
)

// Sniff returns the media type of a file by the first SniffLength bytes of its
// content (fewer where the file has fewer), or "" for every format that the
// service does not accept.
func Sniff(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return GIF
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP
	case isBMP(head):
		return BMP
	case isPDF(head):
		return PDF
	}
	return ""
}

// isPDF accepts the header anywhere in the first 1024 bytes, as PDF readers do,
// unless the file is a container that merely holds a PDF near its start.
func isPDF(head []byte) bool {
	for _, container := range []string{
		"PK\x03\x04", "Rar!", "7z\xbc\xaf", "\x1f\x8b", "!<arch>", "\x7fELF",
		"\xd0\xcf\x11\xe0", "II*\x00", "MM\x00*", "RIFF",
	} {
		if bytes.HasPrefix(head, []byte(container)) {
			return false
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return false
	}
	const mark = "%PDF-"
	for from := 0; ; {
		i := bytes.Index(head[from:], []byte(mark))
		if i < 0 || from+i >= 1024 {
			return false
		}
		from += i + len(mark)
		// A digit of the version follows, except in a text about PDF.
		if from < len(head) && head[from] >= '0' && head[from] <= '9' {
			return true
		}
	}
}

// bmp holds the fields of the BMP headers that are needed here.
type bmp struct {
	fileSize, pixels, header uint32
	width, height            int64
	planes, depth            uint16
	compression              uint32
}

func parseBMP(head []byte) (bmp, bool) {
	if len(head) < 26 || head[0] != 'B' || head[1] != 'M' {
		return bmp{}, false
	}
	le := binary.LittleEndian
	b := bmp{fileSize: le.Uint32(head[2:]), pixels: le.Uint32(head[10:]), header: le.Uint32(head[14:])}
	switch {
	case b.header == 12:
		b.width, b.height = int64(le.Uint16(head[18:])), int64(le.Uint16(head[20:]))
		b.planes, b.depth = le.Uint16(head[22:]), le.Uint16(head[24:])
	case slices.Contains([]uint32{16, 40, 52, 56, 64, 108, 124}, b.header) && len(head) >= 30:
		b.width, b.height = int64(int32(le.Uint32(head[18:]))), int64(int32(le.Uint32(head[22:])))
		b.planes, b.depth = le.Uint16(head[26:]), le.Uint16(head[28:])
		if b.header >= 40 && len(head) >= 34 {
			b.compression = le.Uint32(head[30:])
		}
	default:
		return bmp{}, false
	}
	return b, true
}

// isBMP checks the header too: many a text begins with the letters BM.
func isBMP(head []byte) bool {
	b, ok := parseBMP(head)
	return ok && b.planes == 1 && b.width > 0 && b.height != 0 &&
		slices.Contains([]uint16{0, 1, 2, 4, 8, 16, 24, 32}, b.depth) &&
		uint64(b.pixels) >= 14+uint64(b.header)
}
