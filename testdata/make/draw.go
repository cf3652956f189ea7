package main

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/math/fixed"
)

const (
	rowHeight = 22 // pixels from one row to the next
	margin    = 16 // pixels at the left and the right
)

var (
	paper  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.RGBA{0x20, 0x20, 0x28, 0xff}
	accent = color.RGBA{0x1f, 0x4e, 0x79, 0xff}
)

// drawRows draws a document as it looks on paper, as tall as its rows need.
func drawRows(rows []row, width int) *image.RGBA {
	height := 2 * margin
	for _, r := range rows {
		height += rowPixels(r)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(img, img.Bounds(), paper)
	y := margin
	for _, r := range rows {
		drawRow(img, r, y)
		y += rowPixels(r)
	}
	return img
}

func rowPixels(r row) int {
	switch r.kind {
	case gap:
		return rowHeight / 2
	case band:
		return 2 * rowHeight
	case bars, sign:
		return 3 * rowHeight
	}
	return rowHeight
}

func drawRow(img *image.RGBA, r row, y int) {
	width := img.Bounds().Dx()
	right := width - margin
	switch r.kind {
	case gap:
	case band:
		fill(img, image.Rect(0, y-4, width, y+2*rowHeight-8), accent)
		drawText(img, margin, y+6, r.left, paper, inconsolata.Bold8x16)
		drawText(img, right-textWidth(r.right), y+6, r.right, paper, inconsolata.Bold8x16)
	case rule:
		fill(img, image.Rect(margin, y+9, right, y+11), ink)
	case dashes:
		for x := margin; x+6 <= right; x += 10 {
			fill(img, image.Rect(x, y+10, x+6, y+11), ink)
		}
	case bars:
		x := margin + 8
		for n := noise(7); x < right-8; {
			thick := 1 + int(n.next()%3)
			fill(img, image.Rect(x, y+6, x+thick, y+3*rowHeight-10), ink)
			x += thick + 1 + int(n.next()%3)
		}
	case sign:
		half := (right - margin) / 2
		drawSignature(img, margin+10, y+20, 3)
		drawSignature(img, margin+half+20, y+20, 11)
		fill(img, image.Rect(margin, y+34, margin+half-10, y+35), ink)
		fill(img, image.Rect(margin+half+10, y+34, right, y+35), ink)
		drawText(img, margin, y+40, r.left, ink, inconsolata.Regular8x16)
		drawText(img, margin+half+10, y+40, r.right, ink, inconsolata.Regular8x16)
	case centre:
		drawText(img, (width-textWidth(r.left))/2, y, r.left, ink, inconsolata.Regular8x16)
	case loud:
		drawText(img, (width-textWidth(r.left))/2, y, r.left, ink, inconsolata.Bold8x16)
	case strong:
		drawText(img, margin, y, r.left, ink, inconsolata.Bold8x16)
		drawText(img, right-textWidth(r.right), y, r.right, ink, inconsolata.Bold8x16)
	default:
		drawText(img, margin, y, r.left, ink, inconsolata.Regular8x16)
		drawText(img, right-textWidth(r.right), y, r.right, ink, inconsolata.Regular8x16)
	}
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func textWidth(s string) int { return 8 * len([]rune(s)) }

// drawText draws one line whose top is at y. The font's shades of grey are
// brought down to four, so that a page keeps a small palette.
func drawText(img *image.RGBA, x, y int, s string, c color.RGBA, face *basicfont.Face) {
	dot := fixed.P(x, y+14)
	for _, r := range s {
		to, mask, at, advance, ok := face.Glyph(dot, r)
		if !ok {
			panic("no glyph for " + string(r))
		}
		for dy := range to.Dy() {
			for dx := range to.Dx() {
				_, _, _, a := mask.At(at.X+dx, at.Y+dy).RGBA()
				level := (int(a>>8) + 42) / 85
				if level == 0 {
					continue
				}
				px, py := to.Min.X+dx, to.Min.Y+dy
				img.SetRGBA(px, py, mix(img.RGBAAt(px, py), c, level, 3))
			}
		}
		dot.X += advance
	}
}

// mix is num/den of the way from a to b.
func mix(a, b color.RGBA, num, den int) color.RGBA {
	one := func(x, y uint8) uint8 { return uint8(int(x) + (int(y)-int(x))*num/den) }
	return color.RGBA{one(a.R, b.R), one(a.G, b.G), one(a.B, b.B), 0xff}
}

// drawSignature is a scribble that nobody's name is hidden in.
func drawSignature(img *image.RGBA, x, y int, seed uint32) {
	n := noise(seed)
	height, last := 0, 0
	for i := range 90 {
		if i%9 == 0 {
			height = int(n.next()%31) - 15
		}
		dy := height * (4 - abs(i%9-4)) / 4
		fill(img, image.Rect(x+i, y+min(dy, last)-1, x+i+2, y+max(dy, last)+1), accent)
		last = dy
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// noise is a linear congruential generator: the same anywhere, for ever.
type noise uint32

func (n *noise) next() uint32 {
	*n = *n*1664525 + 1013904223
	return uint32(*n) >> 16
}

// toPaletted keeps every colour of the picture, in the order they appear. A
// picture of more than 256 colours is a mistake in this program.
func toPaletted(img *image.RGBA) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), nil)
	index := map[color.RGBA]uint8{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := img.RGBAAt(x, y)
			i, ok := index[c]
			if !ok {
				if len(out.Palette) == 256 {
					panic("more than 256 colours")
				}
				i = uint8(len(out.Palette))
				index[c] = i
				out.Palette = append(out.Palette, c)
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
