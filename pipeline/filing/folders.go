package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Folders says which folder beneath the sorted folder a document of a type is filed
// in: a path in which {type}, {year}, {month} and {day} are replaced, such as
// "{type}/{year}". The zero value is "{type}".
type Folders struct{ pattern string }

const typePart = "{type}"

// maxFixed bounds the text of one folder's name beside its type, in bytes.
const maxFixed = 100

// ParseFolders checks a pattern. Whatever the type, each folder of the path is one that
// FolderName would leave as it is but for its length, so that no path leads out of the
// sorted folder, or into one of docusort's own.
func ParseFolders(pattern string) (Folders, error) {
	if strings.Count(pattern, typePart) != 1 {
		return Folders{}, fmt.Errorf("%q must contain %s, once", pattern, typePart)
	}
	for _, name := range strings.Split(pattern, "/") {
		sample := fill(name, "x", time.Time{})
		switch {
		case name == "":
			return Folders{}, fmt.Errorf("%q has a / at an end, or two in a row", pattern)
		case strings.ContainsAny(sample, "{}"):
			return Folders{}, fmt.Errorf("%q in %q: what may stand in braces is {type}, {year}, {month} and {day}", name, pattern)
		case len(sample) > maxFixed:
			return Folders{}, fmt.Errorf("%q is longer than %d bytes", name, maxFixed)
		case FolderName(sample) != sample:
			return Folders{}, fmt.Errorf("%q in %q: a folder's name may not begin with a dot or an underscore, "+
				"begin or end with a space, or have a backslash or invisible characters in it", name, pattern)
		}
	}
	return Folders{pattern}, nil
}

// fill replaces what stands in braces, the type last, because its name may have such text.
func fill(text, name string, at time.Time) string {
	text = strings.ReplaceAll(text, "{year}", at.Format("2006"))
	text = strings.ReplaceAll(text, "{month}", at.Format("01"))
	text = strings.ReplaceAll(text, "{day}", at.Format("02"))
	return strings.ReplaceAll(text, typePart, name)
}

func (f Folders) text() string {
	if f.pattern == "" {
		return typePart
	}
	return f.pattern
}

// Path returns the folder for a type, whose FolderName or SafeFolder is name, and a day,
// relative to the sorted folder.
func (f Folders) Path(name string, day time.Time) string { return fill(f.text(), name, day) }

// expression matches a part of the pattern. The type is its one group.
func expression(part string) string {
	return strings.NewReplacer(`\{type\}`, `([^/]+)`, `\{year\}`, `[0-9]{4,}`, `\{month\}`, `[0-9]{2}`, `\{day\}`, `[0-9]{2}`).
		Replace(regexp.QuoteMeta(part))
}

// TypeName returns the names that the type of a folder may have, the likeliest first: the
// type whose folder it is, or is beneath. A folder that the pattern does not describe, such
// as one of an earlier pattern, may be named after a type, or be beneath one that is.
func (f Folders) TypeName(folder string) (names []string) {
	if found := regexp.MustCompile(`^` + expression(f.text()) + `(/|$)`).FindStringSubmatch(folder); found != nil {
		return found[1:2]
	}
	names = strings.Split(folder, "/")
	slices.Reverse(names)
	return names
}

// TypeNames returns the names of the types that have a folder beneath sorted, in order.
func (f Folders) TypeNames(sorted string) (names []string, err error) {
	before, _, _ := strings.Cut(f.text(), typePart)
	parts := strings.Split(f.text(), "/")[:strings.Count(before, "/")+1] // those down to the type's
	folders := []string{""}
	for _, part := range parts {
		is := regexp.MustCompile(`^` + expression(part) + `$`)
		var deeper []string
		for _, folder := range folders {
			entries, err := os.ReadDir(filepath.Join(sorted, folder))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			for _, e := range entries {
				found := is.FindStringSubmatch(e.Name())
				if !e.IsDir() || found == nil || FolderName(e.Name()) != e.Name() {
					continue
				}
				deeper = append(deeper, path.Join(folder, e.Name()))
				names = append(names, found[1:]...)
			}
		}
		folders = deeper
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
