package main

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"fmt"
	"image/jpeg"
	"strings"
)

// pdf is a document in the making. Its text is in the fonts that every viewer
// has, in WinAnsi encoding.
type pdf struct {
	title   string
	lang    string
	deflate bool
	show    func(string) string // how text is written; nil means plainShow
	pages   []pdfPage
}

type pdfPage struct {
	width, height int // points
	rows          []row
	scan          []byte // a JPEG that covers the page; the rows lie invisibly over it
	scanW, scanH  int    // pixels
}

func a4(rows []row) pdfPage { return pdfPage{width: 595, height: 842, rows: rows} }

const (
	pdfHeader  = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
	pdfDate    = "D:20260301120000Z"
	pdfMargin  = 56
	pdfRow     = 20
	pdfAccent  = "0.12 0.31 0.47"
	fontPlain  = "/F1"
	fontBold   = "/F2"
	pdfContent = 6 // number of the first page's content stream
)

func pdfFile(d pdf) func() ([]byte, error) {
	return func() ([]byte, error) {
		b, _, err := d.write()
		return b, err
	}
}

// write lays the objects out: 1 catalogue, 2 page tree, 3 information, 4 and 5
// fonts, then for each page its content, itself and, for a scan, its picture.
// It returns the place of the cross-reference table too.
func (d pdf) write() ([]byte, int, error) {
	lang := d.lang
	if lang == "" {
		lang = "en"
	}
	objects := []string{
		fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /Lang (%s) >>", lang),
		"", // needs the numbers of the pages
		fmt.Sprintf("<< /Title (%s) /CreationDate (%s) >>", d.title, pdfDate),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
	}
	var kids []string
	for _, p := range d.pages {
		content, err := d.stream(d.content(p))
		if err != nil {
			return nil, 0, err
		}
		number := len(objects) + 1
		resources := "/Font << /F1 4 0 R /F2 5 0 R >>"
		if p.scan != nil {
			resources += fmt.Sprintf(" /XObject << /Im1 %d 0 R >>", number+2)
		}
		kids = append(kids, fmt.Sprintf("%d 0 R", number+1))
		objects = append(objects, content, fmt.Sprintf(
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d]\n   /Resources << %s >> /Contents %d 0 R >>",
			p.width, p.height, resources, number))
		if p.scan != nil {
			objects = append(objects, fmt.Sprintf(
				"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray\n   /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream",
				p.scanW, p.scanH, len(p.scan), p.scan))
		}
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(kids))

	b := bytes.NewBufferString(pdfHeader)
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(b, "%010d 00000 n \n", o)
	}
	id := md5.Sum(b.Bytes())
	fmt.Fprintf(b, "trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R /ID [<%x> <%x>] >>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, id, id, xref)
	return b.Bytes(), xref, nil
}

func (d pdf) stream(content string) (string, error) {
	filter := ""
	if d.deflate {
		var z bytes.Buffer
		w, err := zlib.NewWriterLevel(&z, zlib.BestCompression)
		if err != nil {
			return "", err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return "", err
		}
		if err := w.Close(); err != nil {
			return "", err
		}
		content, filter = z.String(), " /Filter /FlateDecode"
	}
	return fmt.Sprintf("<< /Length %d%s >>\nstream\n%s\nendstream", len(content), filter, content), nil
}

// content is what draws a page.
func (d pdf) content(p pdfPage) string {
	show := d.show
	if show == nil {
		show = plainShow
	}
	var b strings.Builder
	if p.scan != nil {
		fmt.Fprintf(&b, "q %d 0 0 %d 0 0 cm /Im1 Do Q\n", p.width, p.height)
		d.invisible(&b, p, show)
		return b.String()
	}
	put := func(font string, size, x, y int, s string) {
		if s != "" {
			fmt.Fprintf(&b, "BT %s %d Tf %d %d Td %s ET\n", font, size, x, y, show(s))
		}
	}
	right := p.width - pdfMargin
	both := func(font string, size, y int, r row) {
		put(font, size, pdfMargin, y, r.left)
		put(font, size, right-helveticaWidth(r.right, size), y, r.right)
	}
	y := p.height - 60
	for _, r := range p.rows {
		switch r.kind {
		case gap:
			y -= pdfRow / 2
			continue
		case band:
			fmt.Fprintf(&b, "%s rg 0 %d %d 56 re f 1 g\n", pdfAccent, y-20, p.width)
			both(fontBold, 20, y, r)
			b.WriteString("0 g\n")
			y -= 2 * pdfRow
			continue
		case rule, dashes:
			fmt.Fprintf(&b, "0.8 w %d %d m %d %d l S\n", pdfMargin, y+6, right, y+6)
		case sign:
			for i, x := range []int{pdfMargin, p.width/2 + 10} {
				fmt.Fprintf(&b, "q %s RG 1.4 w %d %d m %s S Q\n", pdfAccent, x+10, y-20, scribble(x+10, y-20, noise(3+8*i)))
				fmt.Fprintf(&b, "0.8 w %d %d m %d %d l S\n", x, y-30, x+200, y-30)
			}
			put(fontPlain, 9, pdfMargin, y-42, r.left)
			put(fontPlain, 9, p.width/2+10, y-42, r.right)
			y -= 3 * pdfRow
			continue
		case strong:
			both(fontBold, 11, y, r)
		case small:
			both(fontPlain, 9, y, r)
		default:
			both(fontPlain, 11, y, r)
		}
		y -= pdfRow
	}
	return b.String()
}

// invisible lays the text over a scan, a line where the picture has it, as the
// programs do that recognise text.
func (d pdf) invisible(b *strings.Builder, p pdfPage, show func(string) string) {
	b.WriteString("BT 3 Tr\n")
	y := margin
	for _, r := range p.rows {
		for i, s := range []string{r.left, r.right} {
			if s == "" {
				continue
			}
			x := margin
			switch {
			case i == 1:
				x = p.scanW - margin - textWidth(s)
			case r.kind == centre || r.kind == loud:
				x = (p.scanW - textWidth(s)) / 2
			}
			fmt.Fprintf(b, "%s 9 Tf 1 0 0 1 %d %d Tm %s\n", fontPlain,
				x*p.width/p.scanW, (p.scanH-y-14)*p.height/p.scanH, show(s))
		}
		y += rowPixels(r)
	}
	b.WriteString("ET\n")
}

func scribble(x, y int, n noise) string {
	var b strings.Builder
	for i := 1; i <= 6; i++ {
		up := func() int { return y + int(n.next()%30) - 8 }
		fmt.Fprintf(&b, "%d %d %d %d %d %d c ", x+i*22-16, up(), x+i*22-8, up(), x+i*22, up())
	}
	return b.String()
}

// scannedPDF is what comes out of a scanner that recognises text: a picture of
// the page, and its text lying over it invisibly.
func scannedPDF() ([]byte, error) {
	img := gray(drawRows(receiptScan, 320))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 45}); err != nil {
		return nil, err
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	return pdfFile(pdf{title: "0007", deflate: true, pages: []pdfPage{{
		width: w * 6 / 10, height: h * 6 / 10, rows: receiptScan, scan: b.Bytes(), scanW: w, scanH: h,
	}}})()
}

// signedPDF is a document that was changed after it was finished: the new
// content and a second cross-reference table and trailer follow the first.
func signedPDF() ([]byte, error) {
	d := pdf{title: "NDA", pages: []pdfPage{a4(nda)}}
	out, previous, err := d.write()
	if err != nil {
		return nil, err
	}
	signed := append(append([]row(nil), nda...), row{kind: gap},
		row{text, "Signed by the parties on 2 March 2026:", ""}, row{kind: gap},
		row{sign, "Example Labs Ltd", "Sample Works Ltd"})
	stream, err := d.stream(d.content(a4(signed)))
	if err != nil {
		return nil, err
	}
	id := md5.Sum(out)
	b := bytes.NewBuffer(out)
	object := b.Len()
	fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", pdfContent, stream)
	xref := b.Len()
	fmt.Fprintf(b, "xref\n0 1\n0000000000 65535 f \n%d 1\n%010d 00000 n \n", pdfContent, object)
	fmt.Fprintf(b, "trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R /Prev %d /ID [<%x> <%x>] >>\nstartxref\n%d\n%%%%EOF\n",
		pdfContent+2, previous, id, md5.Sum(b.Bytes()), xref)
	return b.Bytes(), nil
}
