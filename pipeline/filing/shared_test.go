package filing

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Another daemon that sorts into the same folder, with a record of its own, makes a
// temporary of the same name for another document. The copy that it takes away is
// not what our source is removed for.
func TestTemporaryOfAnotherDaemon(t *testing.T) {
	for _, at := range []string{"close copy", "rename copy"} {
		w := newWorld(t, true)
		taken := 0
		m := NewMover(Options{Fault: func(op string, done bool) error {
			if op != at || done != (at == "close copy") || taken > 0 {
				return nil
			}
			taken++
			temp := filepath.Join(w.mv.Sorted, "invoice", w.mv.copyName())
			must(t, os.Remove(temp))
			return os.WriteFile(temp, []byte("theirs, half written"), 0o600)
		}})
		_, err := m.Do(t.Context(), w.mv)
		t.Logf("%s: %v", at, err)
		if taken != 1 {
			t.Fatalf("%s: taken %d times", at, taken)
		}
		content, err := os.ReadFile(w.source())
		if err != nil {
			content, err = os.ReadFile(w.target())
		}
		must(t, err)
		if !bytes.Equal(content, w.content) {
			t.Errorf("%s: what is left of the document is %q", at, content)
		}
	}
}
