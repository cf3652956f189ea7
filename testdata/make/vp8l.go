package main

import (
	"image"
	"math/bits"
	"sort"
)

// vp8l encodes a picture as a lossless WebP bitstream, following the "WebP
// Lossless Bitstream Specification" of the WebP project. Of its tools it uses
// the two that pay for pages of text: green is subtracted from red and blue,
// and runs are copied from the pixel to the left or the one above.
func vp8l(img *image.RGBA) []byte {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	var b bitWriter
	b.write(0x2f, 8)
	b.write(uint32(w-1), 14)
	b.write(uint32(h-1), 14)
	b.write(0, 1) // alpha is not used
	b.write(0, 3) // version
	b.write(1, 1) // a transform follows:
	b.write(2, 2) // subtract green
	b.write(0, 1) // no more transforms
	b.write(0, 1) // no colour cache
	b.write(0, 1) // one group of prefix codes for the whole picture

	symbols := vp8lSymbols(img)
	sizes := [5]int{256 + 24, 256, 256, 256, 40}
	var codes [5]prefixCode
	for i, size := range sizes {
		counts := make([]int, size)
		for _, s := range symbols {
			if s.group == i {
				counts[s.value]++
			}
		}
		codes[i] = newPrefixCode(counts)
		codes[i].writeTo(&b)
	}
	for _, s := range symbols {
		b.write(codes[s.group].codes[s.value], codes[s.group].lengths[s.value])
		b.write(s.extra, s.extraBits)
	}
	return b.bytes()
}

// The groups of symbols, in the order of their prefix codes.
const (
	greenOrLength = iota
	redGroup
	blueGroup
	alphaGroup
	distanceGroup
)

// vp8lSymbol is one symbol of a group and the bits that follow it.
type vp8lSymbol struct {
	group     int
	value     int
	extra     uint32
	extraBits int
}

func vp8lSymbols(img *image.RGBA) []vp8lSymbol {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	pixels := make([][3]uint8, 0, w*h)
	for y := range h {
		for x := range w {
			c := img.RGBAAt(x, y)
			pixels = append(pixels, [3]uint8{c.R, c.G, c.B})
		}
	}
	run := func(i, distance int) int {
		n := 0
		for i >= distance && i+n < len(pixels) && n < 4096 && pixels[i+n] == pixels[i+n-distance] {
			n++
		}
		return n
	}
	var out []vp8lSymbol
	for i := 0; i < len(pixels); {
		above, left := run(i, w), run(i, 1)
		// The distances have short names: 1 is the pixel above, 2 the one
		// to the left.
		length, distance := above, 1
		if left > above {
			length, distance = left, 2
		}
		if length < 3 {
			p := pixels[i]
			out = append(out,
				vp8lSymbol{group: greenOrLength, value: int(p[1])},
				vp8lSymbol{group: redGroup, value: int(p[0] - p[1])},
				vp8lSymbol{group: blueGroup, value: int(p[2] - p[1])},
				vp8lSymbol{group: alphaGroup, value: 255})
			i++
			continue
		}
		s := lengthSymbol(length)
		s.group, s.value = greenOrLength, s.value+256
		d := lengthSymbol(distance)
		d.group = distanceGroup
		out = append(out, s, d)
		i += length
	}
	return out
}

// lengthSymbol is the code that lengths and distances share: the two highest
// bits as a symbol, the others as they are.
func lengthSymbol(n int) vp8lSymbol {
	if n <= 4 {
		return vp8lSymbol{value: n - 1}
	}
	n--
	high := bits.Len(uint(n)) - 1
	return vp8lSymbol{
		value:     2*high + n>>(high-1)&1,
		extra:     uint32(n & (1<<(high-1) - 1)),
		extraBits: high - 1,
	}
}

// prefixCode gives each symbol its bits, in the order they are written.
type prefixCode struct {
	lengths []int
	codes   []uint32
	only    int // the symbol, where there is one at most; else -1
}

const maxCodeLength = 15

func newPrefixCode(counts []int) prefixCode {
	c := prefixCode{lengths: make([]int, len(counts)), codes: make([]uint32, len(counts)), only: 0}
	used := 0
	for s, n := range counts {
		if n > 0 {
			used++
			c.only = s
		}
	}
	if used < 2 {
		return c // takes no bits at all
	}
	c.only = -1
	counts = append([]int(nil), counts...)
	for !c.setLengths(counts) {
		for s, n := range counts { // flatter counts make shorter codes
			counts[s] = (n + 1) / 2
		}
	}
	code := uint32(0)
	for length := 1; length <= maxCodeLength; length++ {
		for s, l := range c.lengths {
			if l == length {
				c.codes[s] = bits.Reverse32(code) >> (32 - length)
				code++
			}
		}
		code <<= 1
	}
	return c
}

// setLengths is Huffman's algorithm; it reports whether all codes fit.
func (c *prefixCode) setLengths(counts []int) bool {
	type node struct {
		count   int
		symbols []int
	}
	var nodes []node
	for s, n := range counts {
		c.lengths[s] = 0
		if n > 0 {
			nodes = append(nodes, node{n, []int{s}})
		}
	}
	for len(nodes) > 1 {
		sort.SliceStable(nodes, func(i, j int) bool { return nodes[i].count < nodes[j].count })
		joined := node{nodes[0].count + nodes[1].count, append(nodes[0].symbols, nodes[1].symbols...)}
		for _, s := range joined.symbols {
			c.lengths[s]++
		}
		nodes = append(nodes[2:], joined)
	}
	for _, l := range c.lengths {
		if l > maxCodeLength {
			return false
		}
	}
	return true
}

func (c prefixCode) writeTo(b *bitWriter) {
	if c.only >= 0 {
		b.write(1, 1) // a simple code
		b.write(0, 1) // of one symbol
		b.write(1, 1) // given in eight bits
		b.write(uint32(c.only), 8)
		return
	}
	b.write(0, 1) // a normal code
	// The lengths 0 to 15 get codes of four bits each, which is complete;
	// the three ways to say "repeated" (16, 17, 18) are not used.
	b.write(19-4, 4)
	for _, s := range []int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		if s >= 16 {
			b.write(0, 3)
		} else {
			b.write(4, 3)
		}
	}
	b.write(0, 1) // lengths for the whole alphabet
	for _, l := range c.lengths {
		b.write(bits.Reverse32(uint32(l))>>28, 4)
	}
}

// bitWriter fills bytes from their lowest bit.
type bitWriter struct {
	out  []byte
	bits uint64
	n    int
}

func (b *bitWriter) write(v uint32, n int) {
	b.bits |= uint64(v) << b.n
	for b.n += n; b.n >= 8; b.n -= 8 {
		b.out = append(b.out, byte(b.bits))
		b.bits >>= 8
	}
}

func (b *bitWriter) bytes() []byte {
	if b.n > 0 {
		return append(b.out, byte(b.bits))
	}
	return b.out
}
