package main

import (
	"bytes"
	"image"
	"image/gif"
)

// gifFile draws the rows and writes their text into a comment extension.
func gifFile(rows []row, width int) func() ([]byte, error) {
	return func() ([]byte, error) {
		img := toPaletted(drawRows(rows, width))
		var b bytes.Buffer
		if err := gif.Encode(&b, img, &gif.Options{NumColors: len(img.Palette)}); err != nil {
			return nil, err
		}
		// The comment goes before the trailer, which is the last byte.
		body := b.Bytes()[:b.Len()-1]
		out := append(append([]byte(nil), body...), 0x21, 0xfe)
		for s := plainText(rows); s != ""; {
			n := min(len(s), 255)
			out = append(append(out, byte(n)), s[:n]...)
			s = s[n:]
		}
		return append(out, 0x00, 0x3b), nil
	}
}

// mapGIF is the chart with a blinking beacon: two frames, for ever.
func mapGIF() ([]byte, error) {
	lit := toPaletted(drawMap(320, 240, true))
	dark := image.NewPaletted(lit.Bounds(), lit.Palette)
	unlit := drawMap(320, 240, false)
	for y := range unlit.Bounds().Dy() {
		for x := range unlit.Bounds().Dx() {
			dark.Set(x, y, unlit.RGBAAt(x, y))
		}
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{lit, dark},
		Delay: []int{100, 100},
		Config: image.Config{
			ColorModel: lit.Palette, Width: lit.Bounds().Dx(), Height: lit.Bounds().Dy(),
		},
	})
	return b.Bytes(), err
}
