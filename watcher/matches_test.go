package watcher

import (
	"path"
	"testing"

	"pgregory.net/rapid"
)

// What is looked at first changes nothing about what matches.
func TestMatchesIsPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune(`aé.*?[]^-\`)), 0, 6, -1).Draw(t, "pattern")
		name := rapid.StringOfN(rapid.SampledFrom([]rune(`aéb.*]\`)), 0, 6, -1).Draw(t, "name")
		want, err := path.Match(pattern, name)
		if got := Matches([]string{pattern}, name); got != (want && err == nil) {
			t.Fatalf("%q, %q: %v", pattern, name, got)
		}
	})
}
