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
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}
