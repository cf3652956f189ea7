package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// toolDocuments lists the samples that other programs wrote, as most documents
// of this world are. The tools are those of Debian 12; testdata/README.md has
// their versions.
func toolDocuments() []document {
	return []document{
		{"till/copy #2 [paid, 100%] & done.pdf", ghostscriptReceipt},
		{"letters/Grüße aus Zürich.pdf", cairoLetter},
		{"terms (signed) v1.0.PDF.pdf", linearizedTerms},
		{"scanner/page 2.JPEG", progressiveFax},
		{"Mietvertrag Gabelstapler.webp", lossyRental},
		{"camera/lighthouse", lossyPhoto},
	}
}

// convert runs a tool in a folder of its own that holds the input as "in", and
// returns what it wrote to "out". The clock it sees stands still.
func convert(in []byte, name string, args ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "docusort-make-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "in"), in, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1772366400", "TZ=UTC", "LC_ALL=C.UTF-8")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, said)
	}
	return os.ReadFile(filepath.Join(dir, "out"))
}

// ghostscriptReceipt is PostScript printed to a PDF: what CUPS' PDF printer and
// ps2pdf do. Ghostscript writes text with the operators TJ and ' as well.
func ghostscriptReceipt() ([]byte, error) {
	var ps strings.Builder
	ps.WriteString("%!PS\n<< /PageSize [226 300] >> setpagedevice\n/Helvetica findfont 10 scalefont setfont\n")
	y := 270
	put := func(x int, s string) {
		fmt.Fprintf(&ps, "%d %d moveto %s show\n", x, y, literal(winAnsi(s)))
	}
	for _, r := range receiptPrinted {
		switch r.kind {
		case rule, dashes:
			fmt.Fprintf(&ps, "[3 2] 0 setdash 20 %d moveto 206 %d lineto stroke\n", y+4, y+4)
		default:
			put(20, r.left)
			if r.right != "" {
				put(206-helveticaWidth(r.right, 10), r.right)
			}
		}
		y -= 16
	}
	ps.WriteString("showpage\n")
	return convert([]byte(ps.String()), "gs", "-q", "-dBATCH", "-dNOPAUSE", "-dSAFER", "-sDEVICE=pdfwrite",
		"-dOmitInfoDate=true", "-dOmitID=true", "-dOmitXMP=true", "-sOutputFile=out", "in")
}

// cairoLetter is an SVG printed by cairo, as GTK and browsers' engines print:
// the font is a subset that travels with the file.
func cairoLetter() ([]byte, error) {
	var svg strings.Builder
	svg.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842" viewBox="0 0 595 842">` + "\n")
	y := 110
	for _, line := range letter {
		fmt.Fprintf(&svg, `<text x="70" y="%d" font-family="DejaVu Serif" font-size="12">%s</text>`+"\n", y, line)
		y += 24
	}
	svg.WriteString("</svg>\n")
	return convert([]byte(svg.String()), "rsvg-convert", "-f", "pdf", "-o", "out", "in")
}

// linearizedTerms is laid out for the web: the first page first, most objects
// packed into object streams, a cross-reference stream instead of a table.
func linearizedTerms() ([]byte, error) {
	d := pdf{title: "Terms", deflate: true, pages: []pdfPage{a4(terms), a4(terms2)}}
	in, _, err := d.write()
	if err != nil {
		return nil, err
	}
	return convert(in, "qpdf", "--linearize", "--object-streams=generate", "--deterministic-id", "in", "out")
}

// progressiveFax is a JPEG in several scans, with its text in a comment.
func progressiveFax() ([]byte, error) {
	in, err := jpegFile(gray(drawRows(faxContract, 400)), 45, comment(plainText(faxContract)))()
	if err != nil {
		return nil, err
	}
	return convert(in, "jpegtran", "-copy", "all", "-progressive", "-optimize", "-outfile", "out", "in")
}

// lossyRental is a lossy WebP with its text in EXIF, as image description.
func lossyRental() ([]byte, error) {
	img := drawRows(rental, 420)
	vp8, err := lossy(img, "40")
	if err != nil {
		return nil, err
	}
	return webp(img.Bounds(), "VP8 ", vp8, plainText(rental)), nil
}

// lossyPhoto is the plainest WebP: a lossy picture and nothing else.
func lossyPhoto() ([]byte, error) {
	var in bytes.Buffer
	if err := png.Encode(&in, drawLighthouse(360, 240)); err != nil {
		return nil, err
	}
	return convert(in.Bytes(), "cwebp", "-quiet", "-q", "50", "-m", "6", "in", "-o", "out")
}

// lossy encodes a picture and takes the bitstream out of its container, which
// has a header of 12 bytes, and a chunk's name and length before the bitstream.
func lossy(img image.Image, quality string) ([]byte, error) {
	var in bytes.Buffer
	if err := png.Encode(&in, img); err != nil {
		return nil, err
	}
	out, err := convert(in.Bytes(), "cwebp", "-quiet", "-q", quality, "-m", "6", "in", "-o", "out")
	if err != nil {
		return nil, err
	}
	if len(out) < 20 || string(out[12:16]) != "VP8 " {
		return nil, fmt.Errorf("cwebp: no simple lossy file")
	}
	return out[20:][:binary.LittleEndian.Uint32(out[16:])], nil
}
