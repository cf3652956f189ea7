package filing

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

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
				_, err := a.Do(context.Background(), w.mv)
				first <- err
			}()
			select {
			case <-reserved:
			case err := <-first:
				t.Fatalf("it reserved no name: %v", err)
			}
			if _, err := b.Do(context.Background(), second); !errors.Is(err, fs.ErrExist) {
				t.Errorf("error %v, want ErrExist", err)
			}
			finish()
			same(t, "the first", len(w.holding(w.content)), 1)
			same(t, "the second", len(w.holding([]byte("the second"))), 1)
		})
	}
}
