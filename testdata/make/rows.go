package main

import "strings"

// kind says how a row looks, on paper and in a picture alike.
type kind int

const (
	text   kind = iota // left, and right at the right edge
	band               // white on a band of colour
	strong             // bold
	small              // smaller, where the medium has a smaller size
	centre             // in the middle
	loud               // in the middle, bold
	rule               // a line across
	dashes             // a dashed line across
	gap                // half a row of nothing
	bars               // a bar code
	sign               // a line to sign on, with a scribble above it
)

// row is one line of a document. The same rows make a PDF page, a picture and
// the text beside the picture, so that what can be read is what can be seen.
type row struct {
	kind        kind
	left, right string
}

// plainText is what a reader would type out, one row a line.
func plainText(rows []row) string {
	var b strings.Builder
	for _, r := range rows {
		line := strings.TrimRight(r.left+" "+r.right, " ")
		if line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
