package watcher

import (
	"path"
	"testing"
)

// What is looked at first changes nothing about what matches: every short pattern,
// with every short name.
func TestIgnoredIsPathMatch(t *testing.T) {
	names := words([]string{"a", "é", "b", "*", "]", `\`}, 2)
	for _, pattern := range words([]string{"a", "é", "*", "?", "[", "]", "^", `\`}, 4) {
		for _, name := range names {
			want, err := path.Match(pattern, name)
			if got := ignored([]string{pattern}, name); got != (want && err == nil) {
				t.Fatalf("%q, %q: %v", pattern, name, got)
			}
		}
	}
}

// words returns all that can be made of so many letters, and of fewer.
func words(letters []string, most int) []string {
	all := []string{""}
	for shorter := all; most > 0; most-- {
		var longer []string
		for _, word := range shorter {
			for _, letter := range letters {
				longer = append(longer, word+letter)
			}
		}
		all, shorter = append(all, longer...), longer
	}
	return all
}
