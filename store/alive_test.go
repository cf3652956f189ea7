package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// The writer answers at rest, and not while it stands still.
func TestAlive(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		ask := func() error {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return s.Alive(ctx)
		}
		check1(t, ask())
		stuck := make(chan struct{})
		go s.write(ctx, func(*tx) error { <-stuck; return nil })
		synctest.Wait()
		if err := ask(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it stands still: %v", err)
		}
		close(stuck)
		synctest.Wait()
		check1(t, ask())
		check1(t, s.Close())
		if err := ask(); !errors.Is(err, ErrClosed) {
			t.Errorf("after it was closed: %v", err)
		}
	})
}

// Commits are told of, many as one, and polls alone are not: they change nothing
// that is shown at a glance.
func TestChanged(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		told := func() bool {
			synctest.Wait()
			select {
			case <-s.Changed():
				return true
			default:
				return false
			}
		}
		told() // of the start
		for _, name := range []string{"a", "b"} {
			must[Admitted](t)(s.Admit(ctx, found(name, name)))
		}
		if !told() || told() {
			t.Error("two commits are not told of, once")
		}
		s.Polled(1)
		time.Sleep(time.Hour)
		if told() {
			t.Error("polls are told of")
		}
	})
}
