package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// The writer is late when a transaction lasts, and not at rest.
func TestLate(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		time.Sleep(time.Hour)
		if late := s.Late(time.Minute); late != "" {
			t.Errorf("at rest: %q", late)
		}
		stuck := make(chan struct{})
		go s.write(ctx, func(*tx) error { <-stuck; return nil })
		synctest.Wait()
		time.Sleep(time.Minute)
		if late := s.Late(time.Minute); late != "" {
			t.Errorf("not yet: %q", late)
		}
		time.Sleep(time.Second)
		if late := s.Late(time.Minute); late == "" {
			t.Error("it is not late")
		}
		close(stuck)
		synctest.Wait()
		if late := s.Late(time.Minute); late != "" {
			t.Errorf("afterwards: %q", late)
		}
	})
}

// Commits are reported, many as one.
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
	})
}
