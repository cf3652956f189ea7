package docutraytest

import (
	"bytes"
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
)

// Result is what a document was identified as.
type Result struct {
	Type         TypeScore
	Alternatives []TypeScore // all codes considered, best first
}

// TypeScore is a code and the confidence in it, from 0 to 1.
type TypeScore struct {
	Code       string  `json:"code"`
	Confidence float64 `json:"confidence"`
	Name       string  `json:"name"` // the code again
}

// catchAll is the code of a document that is none of the options.
const catchAll = "other"

// keywords are the words that indicate a type, in English and Spanish. For any
// other code they are the words of the code itself.
var keywords = map[string][]string{
	"invoice": {"invoice", "bill to", "amount due", "payment due", "factura", "importe total"},
	"receipt": {"receipt", "total paid", "change due", "thank you for your purchase", "cashier",
		"recibo", "total pagado", "gracias por su compra"},
	"contract": {"contract", "agreement", "hereinafter", "the parties", "contrato", "las partes"},
	"letter": {"dear ", "sincerely", "yours faithfully", "kind regards", "estimado", "estimada",
		"atentamente"},
	"purchase_order": {"purchase order", "orden de compra", "deliver to"},
}

// score tells how well a document fits a type.
type score struct {
	code   string
	points float64 // how many of the type's words it contains
	first  int     // where the first of them is
}

// longestLine is the length in bytes of the longest line that may be text.
const longestLine = 64 << 10

// identify decides what a document is, from its beginning and the options.
func identify(head []byte, options []string) Result {
	var text []byte
	for line := range bytes.Lines(head) {
		if len(line) <= longestLine {
			text = append(text, bytes.ToLower(line)...)
		}
	}
	scores := []score{{code: catchAll, points: 0.02, first: len(text)}} // wins if there are no words
	for _, code := range options {
		if !slices.ContainsFunc(scores, func(x score) bool { return x.code == code }) {
			scores = append(scores, scoreOf(code, text))
		}
	}
	slices.SortStableFunc(scores, func(a, b score) int {
		// Of equals the first wins: a heading precedes what the text mentions.
		return cmp.Or(cmp.Compare(b.points, a.points), cmp.Compare(a.first, b.first))
	})
	total := 0.0
	for _, x := range scores {
		total += x.points
	}
	var r Result
	for _, x := range scores {
		confidence := math.Round(100*x.points/total) / 100
		r.Alternatives = append(r.Alternatives, TypeScore{x.code, confidence, x.code})
	}
	r.Type = r.Alternatives[0]
	return r
}

func scoreOf(code string, text []byte) score {
	words := keywords[code]
	if words == nil {
		words = []string{strings.ToLower(strings.ReplaceAll(code, "_", " "))}
	}
	x := score{code: code, first: len(text)}
	for _, w := range words {
		if at := bytes.Index(text, []byte(w)); at >= 0 {
			x.points++
			x.first = min(x.first, at)
		}
	}
	return x
}

// formatOf returns the media type of a document by its first bytes, or "".
func formatOf(doc []byte) string {
	if bytes.Contains(doc[:min(len(doc), 1024)], []byte("%PDF-")) {
		return "application/pdf"
	}
	switch t := http.DetectContentType(doc); t {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp":
		return t
	}
	return ""
}
