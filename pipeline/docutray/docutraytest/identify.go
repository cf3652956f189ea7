package docutraytest

import (
	"bytes"
	"math"
	"slices"
	"strings"
)

// Result is what a document was identified as.
type Result struct {
	Type         TypeScore
	Alternatives []TypeScore // all codes considered, best first
}

// TypeScore is a code with how sure the stand-in is of it, from 0 to 1.
type TypeScore struct {
	Code       string  `json:"code"`
	Confidence float64 `json:"confidence"`
	Name       string  `json:"name"`
}

// keywords say by which words a type is known, in English and in Spanish, all
// in lower case. Those of other codes are the words of the code itself.
var keywords = map[string][]string{
	"invoice": {"invoice", "bill to", "amount due", "payment due", "factura", "importe total"},
	"receipt": {"receipt", "total paid", "change due", "thank you for your purchase", "cashier",
		"recibo", "total pagado", "gracias por su compra"},
	"contract": {"contract", "agreement", "hereinafter", "the parties", "contrato", "las partes"},
	"letter": {"dear ", "sincerely", "yours faithfully", "kind regards", "estimado", "estimada",
		"atentamente"},
	"purchase_order": {"purchase order", "orden de compra", "deliver to"},
}

// identify decides what a document is, from its bytes and the options alone.
func (s *Server) identify(doc []byte, format string, options []string) Result {
	text := strings.Join(strings.Fields(strings.ToLower(textOf(doc, format))), " ")
	scores := make([]scored, 0, len(options)+1)
	for _, code := range options {
		if code != s.opts.CatchAll && !slices.ContainsFunc(scores, func(x scored) bool { return x.code == code }) {
			scores = append(scores, score(code, text))
		}
	}
	slices.SortStableFunc(scores, func(a, b scored) int {
		if a.points != b.points {
			return b.points - a.points
		}
		// A heading comes before what the text below it mentions.
		return a.first - b.first
	})
	best := s.opts.CatchAll
	confidence := 0.9
	switch {
	case len(scores) > 0 && scores[0].points > 0:
		rival := 0
		if len(scores) > 1 {
			rival = scores[1].points
		}
		best = scores[0].code
		confidence = float64(scores[0].points) / (float64(scores[0].points+rival) + 0.02)
	case slices.Contains(options, "receipt") && isTall(doc, format):
		best, confidence = "receipt", 0.55
	}
	return s.result(best, round(confidence), scores)
}

// scored is how well a text fits a type.
type scored struct {
	code   string
	points int // how many of its words are there
	first  int // where the first of them is
}

func score(code, text string) scored {
	words := keywords[code]
	if words == nil {
		words = []string{strings.ToLower(strings.ReplaceAll(code, "_", " "))}
	}
	x := scored{code: code, first: math.MaxInt}
	for _, w := range words {
		if at := strings.Index(text, w); at >= 0 && w != "" {
			x.points++
			x.first = min(x.first, at)
		}
	}
	return x
}

// result lays the confidence that is left over the other codes.
func (s *Server) result(best string, confidence float64, scores []scored) Result {
	r := Result{Type: TypeScore{Code: best, Confidence: confidence, Name: s.nameOf(best)}}
	rest := 1 - confidence
	total := 1 // the catch-all counts as one word
	for _, x := range scores {
		if x.code != best {
			total += x.points
		}
	}
	r.Alternatives = []TypeScore{r.Type}
	for _, x := range append(scores, scored{code: s.opts.CatchAll, points: 1}) {
		if x.code != best {
			r.Alternatives = append(r.Alternatives, TypeScore{Code: x.code,
				Confidence: round(rest * float64(x.points) / float64(total)), Name: s.nameOf(x.code)})
		}
	}
	slices.SortStableFunc(r.Alternatives[1:], func(a, b TypeScore) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return strings.Compare(a.Code, b.Code)
	})
	return r
}

func round(f float64) float64 { return math.Round(f*100) / 100 }

func (s *Server) nameOf(code string) string {
	for _, t := range s.opts.Types {
		if t.CodeType == code {
			return t.Name
		}
	}
	if code == s.opts.CatchAll {
		return "Other/Unidentified"
	}
	return code
}

// formatOf returns the media type by the document's first bytes, or "".
func formatOf(doc []byte) string {
	switch {
	case bytes.HasPrefix(doc, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(doc, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(doc, []byte("GIF87a")), bytes.HasPrefix(doc, []byte("GIF89a")):
		return "image/gif"
	case len(doc) >= 12 && string(doc[:4]) == "RIFF" && string(doc[8:12]) == "WEBP":
		return "image/webp"
	case bytes.Contains(doc[:min(len(doc), 1024)], []byte("%PDF-")):
		return "application/pdf"
	case bytes.HasPrefix(doc, []byte("BM")) && len(doc) >= 26:
		return "image/bmp"
	}
	return ""
}

// canonicalType folds the usual other names of the same media type.
func canonicalType(t string) string {
	t, _, _ = strings.Cut(strings.ToLower(t), ";")
	switch t = strings.TrimSpace(t); t {
	case "image/jpg", "image/pjpeg":
		return "image/jpeg"
	case "image/x-bmp", "image/x-ms-bmp":
		return "image/bmp"
	case "application/x-pdf":
		return "application/pdf"
	}
	return t
}
