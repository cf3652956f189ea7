package filing

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Another daemon that sorts into the same folder, with a record of its own, makes a
// temporary of the same name for another document. The copy that it takes away is
// not what our source is removed for.
func TestTemporaryOfAnotherDaemon(t *testing.T) {
	for _, at := range []string{"close new file", "rename copy"} {
		w := newWorld(t, true)
		taken := 0
		m := NewMover(Options{Fault: func(op string, done bool) error {
			if op != at || done != (at == "close new file") || taken > 0 {
				return nil
			}
			taken++
			temp := filepath.Join(w.mv.Sorted, "invoice", w.mv.copyName())
			must(t, os.Remove(temp))
			return os.WriteFile(temp, []byte("theirs, half written"), 0o600)
		}})
		_ = m.MoveOrCopy(t.Context(), w.mv) // whatever it says, the content is whole
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
		if theirs := w.holding([]byte("theirs, half written")); at == "close new file" && slices.Contains(theirs, w.target()) {
			t.Errorf("their half copy was given the name %s", w.target())
		}
	}
}

// The target's folder is removed, as empty folders are, at the moment of the move.
func TestTargetFolderVanishes(t *testing.T) {
	w := newWorld(t, false)
	remove := sync.OnceValue(func() error { return os.Remove(filepath.Dir(w.target())) })
	m := moverAt("rename", false, remove)
	must(t, m.Do(t.Context(), w.mv))
	w.filed()
}

// Where names are reserved by an empty file, the reservation of somebody at work is
// not taken for what a killed try left: the document takes its place at any moment.
func TestReservationOfOthersStays(t *testing.T) {
	for _, tr := range terrains() {
		if !strings.Contains(tr.name, "bare") {
			continue
		}
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.across)
			second := w.document(w.mv.Root, "second.pdf", []byte("the second"))
			second.Sorted, second.Target, second.Tag = w.mv.Sorted, w.mv.Target, "8"

			reserved, goOn, first := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			a := tr.mover(t, func(op string, done bool) error {
				if strings.HasSuffix(op, " over") && !done {
					close(reserved)
					<-goOn
				}
				return nil
			})
			went := false
			finish := func() {
				if !went {
					went = true
					close(goOn)
					must(t, <-first)
				}
			}
			b := tr.mover(t, func(op string, done bool) error {
				if op == "unlink reserved" && !done {
					finish() // the document is put there after b looked
				}
				return nil
			})
			go func() {
				first <- a.MoveOrCopy(context.Background(), w.mv)
			}()
			select {
			case <-reserved:
			case err := <-first:
				t.Fatalf("it reserved no name: %v", err)
			}
			if err := b.MoveOrCopy(context.Background(), second); !errors.Is(err, fs.ErrExist) {
				t.Errorf("error %v, want ErrExist", err)
			}
			finish()
			same(t, "the first", len(w.holding(w.content)), 1)
			same(t, "the second", len(w.holding([]byte("the second"))), 1)
		})
	}
}
