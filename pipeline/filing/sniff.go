package filing

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// SniffLength is how many bytes from the start of a file Sniff looks at.
const SniffLength = 1024 + 8

// Format is a document format that the service accepts.
type Format struct {
	// ContentType is the media type, such as "application/pdf".
	ContentType string
	// Name is for people: "PDF".
	Name string
}

var (
	formatJPEG = Format{"image/jpeg", "JPEG"}
	formatPNG  = Format{"image/png", "PNG"}
	formatGIF  = Format{"image/gif", "GIF"}
	formatBMP  = Format{"image/bmp", "BMP"}
	formatWebP = Format{"image/webp", "WebP"}
	formatPDF  = Format{"application/pdf", "PDF"}
)

// Sniff tells the format by the first SniffLength bytes of the content (fewer
// where the file has fewer), never by a name. It is false for every format
// that the service does not take.
func Sniff(head []byte) (Format, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return formatJPEG, true
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return formatPNG, true
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return formatGIF, true
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return formatWebP, true
	case isBMP(head):
		return formatBMP, true
	case isPDF(head):
		return formatPDF, true
	}
	return Format{}, false
}

// isPDF accepts the header anywhere in the first 1024 bytes, as readers do,
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
		// A version follows; a text about PDF is none.
		if from < len(head) && head[from] >= '0' && head[from] <= '9' {
			return true
		}
	}
}

// bmp is what the headers of a BMP say that matters here.
type bmp struct {
	fileSize, pixels, header    uint32
	width, height               int64
	planes, depth               uint16
	compression, declaredPixels uint32
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
		if b.header >= 40 && len(head) >= 38 {
			b.compression, b.declaredPixels = le.Uint32(head[30:]), le.Uint32(head[34:])
		}
	default:
		return bmp{}, false
	}
	return b, true
}

// isBMP: the letters BM begin many a text, so the header behind them must
// make sense as well.
func isBMP(head []byte) bool {
	b, ok := parseBMP(head)
	return ok && b.planes == 1 && b.width > 0 && b.height != 0 &&
		slices.Contains([]uint16{0, 1, 2, 4, 8, 16, 24, 32}, b.depth) &&
		uint64(b.pixels) >= 14+uint64(b.header)
}
