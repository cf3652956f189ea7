package docutray

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of texts, in bytes, and of lists.
const (
	maxMessage  = 500
	maxDetail   = 200
	maxDetails  = 10
	maxName     = 200
	maxCode     = 1024
	maxFilename = 200
	maxJobID    = 256
)

// checkJobID accepts 1 to 256 printable ASCII characters without spaces, except
// "." and "..", which would change the path of a URL.
func checkJobID(id string) error {
	if id == "" || len(id) > maxJobID || id == "." || id == ".." {
		return errors.New("unusable job id")
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return fmt.Errorf("unusable job id: bad character at %d", i)
		}
	}
	return nil
}

// clean makes a text from outside fit for a log or a terminal: one line of
// valid UTF-8 without control or direction-changing characters, or any that
// cannot be seen.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens s to at most limit bytes at a rune boundary.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	return s[:runeBoundary(s, limit-len(mark))] + mark
}

// runeBoundary returns the last rune boundary of s at or before n.
func runeBoundary(s string, n int) int {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// cleanFilename makes a name fit for a part's header: valid UTF-8 of at most
// 200 bytes, without quotes, separators or control characters. It keeps the
// extension.
func cleanFilename(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) ||
			strings.ContainsRune(`"\/`, r) {
			return '_'
		}
		return r
	}, s)
	if len(s) > maxFilename {
		ext := ""
		if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 20 {
			ext = s[i:]
		}
		s = s[:runeBoundary(s, maxFilename-len(ext))] + ext
	}
	if strings.Trim(s, ". ") == "" {
		return "document"
	}
	return s
}
