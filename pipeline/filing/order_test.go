package filing

import (
	"fmt"
	"slices"
	"testing"
)

// What a loss of power would undo is synced before the step that relies on it.
func TestOrderOfSyncs(t *testing.T) {
	for _, c := range []struct {
		across bool
		want   []string
	}{
		{false, []string{"fsync parent folder", "fsync source", "rename"}},
		{true, []string{"write", "utimes", "fsync new file", "close new file", "rename copy", "fsync target folder", "claim", "unlink"}},
	} {
		t.Run(fmt.Sprint("across ", c.across), func(t *testing.T) {
			w := newWorld(t, c.across)
			var ops []string
			m := NewMover(Options{Fault: func(op string, done bool) error {
				if done && slices.Contains(c.want, op) && (len(ops) == 0 || ops[len(ops)-1] != op) {
					ops = append(ops, op)
				}
				return nil
			}})
			move := m.Do
			if c.across {
				move = m.Copy
			}
			must(t, move(t.Context(), w.mv))
			if !slices.Equal(ops, c.want) {
				t.Errorf("%q, want %q", ops, c.want)
			}
		})
	}
}
