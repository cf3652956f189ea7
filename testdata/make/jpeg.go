package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
)

// jpegFile encodes the picture and puts the segments behind the start marker.
// Go writes no application segment of its own: without one of the given
// segments being EXIF, a JFIF header comes first, as JFIF demands.
func jpegFile(img image.Image, quality int, segments ...[]byte) func() ([]byte, error) {
	return func() ([]byte, error) {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		out := append([]byte(nil), b.Bytes()[:2]...)
		if len(segments) == 0 || segments[0][1] != 0xe1 {
			out = append(out, segment(0xe0, []byte("JFIF\x00\x01\x01\x01\x00\x96\x00\x96\x00\x00"))...)
		}
		for _, s := range segments {
			out = append(out, s...)
		}
		return append(out, b.Bytes()[2:]...), nil
	}
}

func comment(s string) []byte { return segment(0xfe, []byte(s)) }

func segment(marker byte, data []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))
	return append(out, data...)
}

// exifSegment is what a camera writes, as APP1.
func exifSegment() []byte {
	return segment(0xe1, append([]byte("Exif\x00\x00"), exif([]exifTag{
		{0x010f, "Example"},
		{0x0110, "Example Camera 1"},
		{0x0132, "2026:03:01 18:20:00"},
	})...))
}

// exifTag is a tag with an ASCII value.
type exifTag struct {
	id    uint16
	value string
}

// exif is a little-endian TIFF structure of one directory. The tags come in
// rising order, as TIFF demands, and no value fits into the four bytes in
// which TIFF would store it in place.
func exif(tags []exifTag) []byte {
	le := binary.LittleEndian
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = le.AppendUint16(out, uint16(len(tags)))
	offset := len(out) + 12*len(tags) + 4
	var values []byte
	for _, t := range tags {
		out = le.AppendUint16(out, t.id)
		out = le.AppendUint16(out, 2) // ASCII
		out = le.AppendUint32(out, uint32(len(t.value)+1))
		out = le.AppendUint32(out, uint32(offset+len(values)))
		values = append(append(values, t.value...), 0)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	out = le.AppendUint32(out, 0) // no further directory
	return append(out, values...)
}

// gray drops the colours, as a scanner set to grey does.
func gray(img *image.RGBA) *image.Gray {
	out := image.NewGray(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			out.Set(x, y, img.RGBAAt(x, y))
		}
	}
	return out
}
