package testdata_test

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var (
	pdfStream = regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\n?endstream`)
	pdfToken  = regexp.MustCompile(`(?s)\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>|[\[\]]|Tj|TJ|'|"`)
	pdfEscape = regexp.MustCompile(`(?s)\\([0-7]{1,3}|.)`)
)

// pdfText is the simplest reader that gets at the text of the samples: strings
// in content streams, compressed or not, a line for each operator that shows
// some. It knows nothing of fonts, so it reads standard encodings only.
func pdfText(data []byte) string {
	var text strings.Builder
	for _, m := range pdfStream.FindAllSubmatch(data, -1) {
		content := m[1]
		if z, err := zlib.NewReader(bytes.NewReader(content)); err == nil {
			if content, err = io.ReadAll(z); err != nil {
				continue
			}
		}
		if !bytes.Contains(content, []byte("BT")) {
			continue
		}
		for _, token := range pdfToken.FindAll(content, -1) {
			switch s := string(token); {
			case s[0] == '(':
				text.WriteString(pdfEscape.ReplaceAllStringFunc(s[1:len(s)-1], func(e string) string {
					if n, err := strconv.ParseUint(e[1:], 8, 8); err == nil {
						return string(rune(n)) // Latin-1 is near enough
					}
					return e[1:]
				}))
			case s[0] == '<':
				if b, err := hex.DecodeString(strings.Join(strings.Fields(s[1:len(s)-1]), "")); err == nil {
					text.Write(b)
				}
			case s == "Tj", s == "TJ", s == "'", s == `"`:
				text.WriteByte('\n')
			}
		}
	}
	return text.String()
}
