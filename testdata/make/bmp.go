package main

import (
	"encoding/binary"
	"image"
	"image/color"
)

// bmpFile writes a bitmap of 1 or 4 bits a pixel with the 40-byte header that
// every viewer knows. BMP has no place for text, so it stands behind the
// pixels, inside the length that the file header gives, as some scanners'
// programs leave it.
func bmpFile(img *image.Paletted, bits int, text string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if bits == 1 {
			img = blackAndWhite(img)
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		stride := (w*bits + 31) / 32 * 4
		colours := 1 << bits
		start := 14 + 40 + 4*colours
		pixels := make([]byte, stride*h)
		for y := range h {
			line := pixels[(h-1-y)*stride:] // the bottom row comes first
			for x := range w {
				line[x*bits/8] |= img.ColorIndexAt(x, y) << (8 - bits - x*bits%8)
			}
		}
		le := binary.LittleEndian
		out := []byte("BM")
		out = le.AppendUint32(out, uint32(start+len(pixels)+len(text)))
		out = le.AppendUint32(out, 0)
		out = le.AppendUint32(out, uint32(start))
		out = le.AppendUint32(out, 40)
		out = le.AppendUint32(out, uint32(w))
		out = le.AppendUint32(out, uint32(h))
		out = le.AppendUint16(out, 1)
		out = le.AppendUint16(out, uint16(bits))
		out = le.AppendUint32(out, 0) // not compressed
		out = le.AppendUint32(out, uint32(len(pixels)))
		out = le.AppendUint32(out, 5906) // pixels a metre: 150 an inch
		out = le.AppendUint32(out, 5906)
		out = le.AppendUint32(out, uint32(colours))
		out = le.AppendUint32(out, 0)
		for i := range colours {
			c := color.RGBA{}
			if i < len(img.Palette) {
				c = img.Palette[i].(color.RGBA)
			}
			out = append(out, c.B, c.G, c.R, 0)
		}
		out = append(out, pixels...)
		return append(out, text...), nil
	}
}

func blackAndWhite(img *image.Paletted) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), color.Palette{
		color.RGBA{0, 0, 0, 0xff}, color.RGBA{0xff, 0xff, 0xff, 0xff},
	})
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y >= 0x98 {
				out.SetColorIndex(x, y, 1)
			}
		}
	}
	return out
}
