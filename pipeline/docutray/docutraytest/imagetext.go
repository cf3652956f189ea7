package docutraytest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	_ "image/gif" // for DecodeConfig
	_ "image/jpeg"
	_ "image/png"
	"io"
	"strings"
)

// maxText bounds the text taken from one document, in bytes.
const maxText = 4 << 20

// textOf returns the text that a document carries, in no particular encoding
// beyond ASCII. A document that is damaged gives what comes before the damage.
func textOf(doc []byte, format string) string {
	var b strings.Builder
	switch format {
	case "application/pdf":
		pdfText(&b, doc)
	case "image/png":
		pngText(&b, doc)
	case "image/jpeg":
		jpegText(&b, doc)
	case "image/gif":
		gifText(&b, doc)
	case "image/webp":
		webpText(&b, doc)
	case "image/bmp":
		bmpText(&b, doc)
	}
	return b.String()
}

// add appends the printable part of a text, with NUL as a space.
func add(b *strings.Builder, text []byte) {
	for _, c := range text[:min(len(text), max(0, maxText-b.Len()))] {
		if c < ' ' || c > '~' {
			c = ' '
		}
		b.WriteByte(c)
	}
	b.WriteByte(' ')
}

// pngText takes tEXt, zTXt and iTXt chunks.
func pngText(b *strings.Builder, doc []byte) {
	for doc = doc[8:]; len(doc) >= 12; {
		size := uint64(binary.BigEndian.Uint32(doc))
		if size > uint64(len(doc)-12) {
			return
		}
		kind, data := string(doc[4:8]), doc[8:8+size]
		doc = doc[12+size:]
		_, value, ok := bytes.Cut(data, []byte{0}) // after the chunk's own keyword
		if !ok || len(value) == 0 {
			continue
		}
		switch kind {
		case "tEXt":
			add(b, value)
		case "zTXt": // one byte says how it is compressed
			add(b, inflate(value[1:]))
		case "iTXt": // compressed?, how, language NUL, translated keyword NUL
			if len(value) < 2 {
				continue
			}
			rest := bytes.SplitN(value[2:], []byte{0}, 3)
			if len(rest) < 3 {
				continue
			}
			if value[0] == 1 {
				rest[2] = inflate(rest[2])
			}
			add(b, rest[2])
		}
	}
}

// inflate returns what can be had of zlib data, bounded.
func inflate(data []byte) []byte {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	defer func() { _ = z.Close() }()
	text, _ := io.ReadAll(io.LimitReader(z, maxText))
	return text
}

// jpegText takes comments and application segments, which hold EXIF and XMP.
func jpegText(b *strings.Builder, doc []byte) {
	for i := 2; i+4 <= len(doc) && doc[i] == 0xff; {
		marker := doc[i+1]
		if marker == 0xff { // a fill byte
			i++
			continue
		}
		if marker == 0xda || marker == 0xd9 {
			return
		}
		size := int(binary.BigEndian.Uint16(doc[i+2:]))
		if size < 2 || i+2+size > len(doc) {
			return
		}
		if marker == 0xfe || marker == 0xe1 {
			add(b, doc[i+4:i+2+size])
		}
		i += 2 + size
	}
}

// gifText takes comment extensions.
func gifText(b *strings.Builder, doc []byte) {
	if len(doc) < 13 {
		return
	}
	i := 13
	if doc[10]&0x80 != 0 {
		i += 3 << (1 + doc[10]&7)
	}
	for i+2 <= len(doc) {
		comment := false
		switch doc[i] {
		case 0x21:
			comment = doc[i+1] == 0xfe
			i += 2
		case 0x2c: // an image: descriptor, colours, code size
			if i+11 > len(doc) {
				return
			}
			packed := doc[i+9]
			i += 10
			if packed&0x80 != 0 {
				i += 3 << (1 + packed&7)
			}
			i++
		default:
			return
		}
		for i < len(doc) && doc[i] != 0 { // sub-blocks up to an empty one
			end := min(len(doc), i+1+int(doc[i]))
			if comment {
				add(b, doc[i+1:end])
			}
			i = end
		}
		i++
	}
}

// webpText takes the XMP and EXIF chunks.
func webpText(b *strings.Builder, doc []byte) {
	for doc = doc[12:]; len(doc) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(doc[4:]))
		if size > uint64(len(doc)-8) {
			return
		}
		if kind := string(doc[:4]); kind == "XMP " || kind == "EXIF" {
			add(b, doc[8:8+size])
		}
		doc = doc[min(8+size+size&1, uint64(len(doc))):]
	}
}

// bmpText takes what stands behind the pixels, where the format has no field.
func bmpText(b *strings.Builder, doc []byte) {
	w, h := bmpSize(doc)
	bits := 24
	if len(doc) >= 30 {
		bits = int(binary.LittleEndian.Uint16(doc[28:]))
	}
	start := int64(binary.LittleEndian.Uint32(doc[10:]))
	end := start + (int64(w)*int64(bits)+31)/32*4*int64(h)
	if end >= 0 && end < int64(len(doc)) {
		add(b, doc[end:])
	} else if len(doc) > keepHead { // only its two ends are here
		add(b, doc[keepHead:])
	}
}

func bmpSize(doc []byte) (w, h int) {
	w = int(int32(binary.LittleEndian.Uint32(doc[18:])))
	h = int(int32(binary.LittleEndian.Uint32(doc[22:])))
	return w, max(h, -h) // negative: its rows go downwards
}

// isTall says whether a picture has a till receipt's proportions.
func isTall(doc []byte, format string) bool {
	var w, h int
	switch format {
	case "image/bmp":
		w, h = bmpSize(doc)
	case "image/png", "image/jpeg", "image/gif":
		c, _, err := image.DecodeConfig(bytes.NewReader(doc))
		if err != nil {
			return false
		}
		w, h = c.Width, c.Height
	}
	return w > 0 && 2*h >= 5*w
}
