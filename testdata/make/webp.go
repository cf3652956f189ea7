package main

import (
	"encoding/binary"
	"image"
)

// webpReceipt is a lossless WebP with its text in EXIF, as image description.
func webpReceipt() ([]byte, error) {
	img := drawRows(receiptWebP, 280)
	return webp(img.Bounds(), "VP8L", vp8l(img), plainText(receiptWebP)), nil
}

type chunk struct {
	name string
	data []byte
}

// webp is the extended file format: a header that announces the metadata, the
// picture, the metadata. Text could stand in XMP as well, but ImageMagick 6
// warns of any XMP in a WebP, whoever wrote it.
func webp(size image.Rectangle, codec string, picture []byte, description string) []byte {
	const hasEXIF = 1 << 3
	header := binary.LittleEndian.AppendUint32(nil, hasEXIF)
	header = append(header, le24(size.Dx()-1)...)
	header = append(header, le24(size.Dy()-1)...)
	metadata := exif([]exifTag{{0x010e, description}})
	body := []byte("WEBP")
	for _, c := range []chunk{{"VP8X", header}, {codec, picture}, {"EXIF", metadata}} {
		body = append(body, c.name...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(c.data)))
		body = append(body, c.data...)
		if len(c.data)%2 == 1 {
			body = append(body, 0)
		}
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func le24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }
