package docutray

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrJobID is wrapped by the errors of [CheckJobID].
var ErrJobID = errors.New("unusable job id")

// maxJobID is the length of the longest job id that is taken, in bytes.
const maxJobID = 256

// CheckJobID says whether id can be a job's: 1 to 256 printable ASCII
// characters without spaces, and neither "." nor "..", which a URL would
// swallow.
func CheckJobID(id string) error {
	if id == "" || len(id) > maxJobID || id == "." || id == ".." {
		return fmt.Errorf("%w: of %d bytes", ErrJobID, len(id))
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return fmt.Errorf("%w: character %d cannot stand in one", ErrJobID, i+1)
		}
	}
	return nil
}

// Limits of texts, in bytes.
const (
	maxMessage  = 500
	maxDetail   = 200
	maxDetails  = 10
	maxName     = 200
	maxCode     = 1024
	maxFilename = 200
)

// clean makes a text from outside fit for a log or a terminal: one line of
// valid UTF-8 without control and direction-changing characters.
func clean(s string) string {
	if isClean(s) {
		return s // which is most of them
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// isClean says whether s is one line of ASCII with single spaces between words.
func isClean(s string) bool {
	for i := range len(s) {
		inside := i > 0 && i < len(s)-1 && s[i-1] != ' '
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && !inside {
			return false
		}
	}
	return true
}

// cut shortens s to at most limit bytes at a rune's boundary.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	n := max(0, limit-len(mark))
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}

// cleanFilename makes a name fit for the header of a part: no quotes, no
// separators, no control characters, valid UTF-8, at most 200 bytes with the
// extension kept.
func cleanFilename(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp),
			strings.ContainsRune(`"\/`, r):
			return '_'
		}
		return r
	}, s)
	if len(s) > maxFilename {
		ext := ""
		if i := strings.LastIndexByte(s, '.'); i > 0 && len(s)-i <= 20 {
			ext = s[i:]
		}
		n := maxFilename - len(ext)
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + ext
	}
	if strings.Trim(s, ". ") == "" {
		return "document"
	}
	return s
}
