package watcher

import (
	"path"
	"strings"
)

// ignored reports whether name, of a file or folder without its path, matches
// one of the patterns, in the form of path.Match and in lower case. A
// malformed pattern matches nothing.
func ignored(patterns []string, name string) bool {
	name = strings.ToLower(name)
	for _, p := range patterns {
		if endsDiffer(p, name) {
			continue
		}
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}

// endsDiffer reports whether name begins or ends with another byte than pattern
// requires. Most names do, and this takes a tenth of the time of a match.
func endsDiffer(pattern, name string) bool {
	if pattern == "" || name == "" {
		return false
	}
	first, last := pattern[0], pattern[len(pattern)-1]
	return !strings.ContainsRune(`*?[\`, rune(first)) && first != name[0] ||
		!strings.ContainsRune(`*?]`, rune(last)) && last != name[len(name)-1]
}
