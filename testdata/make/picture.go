package main

import (
	"image"
	"image/color"

	"golang.org/x/image/font/inconsolata"
)

// drawLighthouse is as near to a photograph as a few integers get: a dusk sky,
// a sea with a path of light, a lighthouse, and grain over all of it.
func drawLighthouse(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	horizon := height * 6 / 10
	top, low := color.RGBA{0x1c, 0x2a, 0x55, 0xff}, color.RGBA{0xf2, 0xa0, 0x5a, 0xff}
	near, far := color.RGBA{0x12, 0x22, 0x38, 0xff}, color.RGBA{0x6a, 0x62, 0x72, 0xff}
	for y := range height {
		c := mix(top, low, y, horizon)
		if y >= horizon {
			c = mix(far, near, y-horizon, height-horizon)
		}
		fill(img, image.Rect(0, y, width, y+1), c)
	}

	sunX, sunY, sun := width*7/10, horizon-height/20, height/9
	for y := range horizon {
		for x := range width {
			d := (x-sunX)*(x-sunX) + (y-sunY)*(y-sunY)
			switch {
			case d < sun*sun:
				img.SetRGBA(x, y, color.RGBA{0xff, 0xe2, 0xa0, 0xff})
			case d < 9*sun*sun:
				img.SetRGBA(x, y, mix(color.RGBA{0xff, 0xd0, 0x80, 0xff}, img.RGBAAt(x, y), d, 9*sun*sun))
			}
		}
	}
	waves := noise(3)
	for y := horizon + 2; y < height; y += 3 {
		half := sun/2 + (y-horizon)/3 + int(waves.next()%12)
		fill(img, image.Rect(sunX-half, y, sunX+half, y+1), mix(img.RGBAAt(0, y), low, 1, 2))
	}

	rock := color.RGBA{0x18, 0x16, 0x1c, 0xff}
	for x := range width / 2 {
		rise := (width/2 - x) * height / width / 2
		fill(img, image.Rect(x, horizon+height/12-rise/3, x+1, horizon+height/8), rock)
	}
	base, tall := width/4, height/2
	for y := range tall {
		half := width/40 + y*width/60/tall
		c := color.RGBA{0xd8, 0xd0, 0xcc, 0xff}
		if y*6/tall%2 == 1 {
			c = color.RGBA{0x9c, 0x2c, 0x2c, 0xff}
		}
		for x := base - half; x < base+half; x++ {
			img.SetRGBA(x, horizon-tall+y, mix(c, rock, x-base+half, 4*half))
		}
	}
	lamp := horizon - tall
	fill(img, image.Rect(base-6, lamp-14, base+6, lamp), color.RGBA{0xff, 0xf4, 0xc0, 0xff})
	fill(img, image.Rect(base-9, lamp-18, base+9, lamp-14), rock)
	fill(img, image.Rect(base-11, lamp, base+11, lamp+3), rock)

	grain := noise(42)
	for i := range img.Pix {
		if i%4 != 3 {
			v := int(img.Pix[i]) + int(grain.next()%9) - 4
			img.Pix[i] = uint8(max(0, min(255, v)))
		}
	}
	return img
}

var (
	sea   = color.RGBA{0xa8, 0xcf, 0xe6, 0xff}
	land  = color.RGBA{0xec, 0xe4, 0xc8, 0xff}
	wood  = color.RGBA{0xb4, 0xd0, 0x98, 0xff}
	road  = color.RGBA{0xc8, 0x60, 0x30, 0xff}
	light = color.RGBA{0xff, 0xe0, 0x30, 0xff}
)

// drawMap is a chart of a harbour that is nowhere, with its beacon lit or not.
func drawMap(width, height int, lit bool) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(img, img.Bounds(), sea)
	coast, n := height*6/12, noise(5)
	for x := range width {
		coast = max(height*5/12, min(height*7/12, coast+int(n.next()%5)-2))
		shore := coast - max(0, 70-abs(x-width/2))/2
		fill(img, image.Rect(x, 0, x+1, shore), land)
		fill(img, image.Rect(x, shore-2, x+1, shore), ink)
		if x == width/2 {
			fill(img, image.Rect(x-4, shore-2, x, shore+50), ink)
		}
	}
	fill(img, image.Rect(20, 12, 90, 38), wood)
	for x := range width {
		y := 58 - abs(x-width/2)/12
		fill(img, image.Rect(x, y, x+1, y+3), road)
	}
	fill(img, image.Rect(width/2-2, 0, width/2+1, 58), road)
	beacon := sea
	if lit {
		beacon = light
	}
	end := height/2 + 10
	fill(img, image.Rect(width/2-8, end, width/2+4, end+12), ink)
	fill(img, image.Rect(width/2-5, end+3, width/2+1, end+9), beacon)
	drawText(img, 28, 17, "Forest", ink, inconsolata.Regular8x16)
	drawText(img, width/2+12, 30, "Coast road", ink, inconsolata.Regular8x16)
	drawText(img, width/2+12, height/2+6, "Pier", ink, inconsolata.Regular8x16)
	drawText(img, 16, height-60, "Outer roads  8 m", ink, inconsolata.Regular8x16)
	drawText(img, width-30, height-70, "N", ink, inconsolata.Bold8x16)
	for i := range 26 {
		fill(img, image.Rect(width-27-i/5, height-50+i, width-26+i/5, height-49+i), ink)
	}
	fill(img, image.Rect(16, height-20, 116, height-17), ink)
	drawText(img, 122, height-26, "1 km", ink, inconsolata.Regular8x16)
	return img
}

// drawTide is a day's tide as a curve, made of parabolas: no sine is the same
// on every processor.
func drawTide(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(img, img.Bounds(), paper)
	fill(img, image.Rect(0, 0, width, 24), accent)
	drawText(img, 8, 4, "Tide table, 1 May", paper, inconsolata.Bold8x16)
	grid := color.RGBA{0xd0, 0xd0, 0xd0, 0xff}
	for x := 10; x < width; x += 27 {
		fill(img, image.Rect(x, 30, x+1, height-22), grid)
	}
	for y := 30; y < height-20; y += 20 {
		fill(img, image.Rect(10, y, width-10, y+1), grid)
	}
	half := (width - 20) / 4
	last := 0
	for x := 10; x < width-10; x++ {
		i := (x - 10) % (2 * half)
		up := 1
		if i >= half {
			i, up = i-half, -1
		}
		y := (24+height)/2 - up*(4*i*(half-i)*40/half/half)
		if x == 10 {
			last = y
		}
		fill(img, image.Rect(x, min(y, last), x+2, max(y, last)+2), road)
		last = y
	}
	drawText(img, 8, height-20, "0h", ink, inconsolata.Regular8x16)
	drawText(img, width/2-12, height-20, "12h", ink, inconsolata.Regular8x16)
	drawText(img, width-34, height-20, "24h", ink, inconsolata.Regular8x16)
	return img
}
