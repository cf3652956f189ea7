package filing

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxFolderName = 100
	unknownFolder = "unknown"
)

// FolderName turns a type code of the service into the name of the folder for
// it: '/' and '\', control, invisible and direction-changing characters and
// bytes that are not UTF-8 are left out, then leading dots and underscores and
// spaces at either end; what is over 100 bytes is cut before the rune that
// crosses the limit; what is then empty is "unknown". The result is one path
// component, never ".", ".." or a name of docusort's own ("_review"), and its
// own folder name.
func FolderName(code string) string {
	var b strings.Builder
	for i, r := range code {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(code[i:]); width == 1 {
				continue
			}
		}
		if !unsafeRune(r) {
			b.WriteRune(r)
		}
	}
	name := strings.TrimLeftFunc(b.String(), func(r rune) bool {
		return r == '.' || r == '_' || unicode.IsSpace(r)
	})
	if len(name) > maxFolderName {
		cut := maxFolderName
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut]
	}
	if name = strings.TrimRightFunc(name, unicode.IsSpace); name == "" {
		return unknownFolder
	}
	return name
}

// unsafeRune: separators, controls (Cc), formats (Cf: direction changes, zero
// widths, tags), line and paragraph separators, and the characters that
// Unicode lets a renderer leave out, which make two names look alike.
func unsafeRune(r rune) bool {
	return r == '/' || r == '\\' ||
		unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
