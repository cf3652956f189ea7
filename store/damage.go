package store

import (
	"context"
	"errors"
)

// Damaged returns why the database cannot be used any more, once that is known:
// a read, a commit or the check beside the work found it damaged. From then on
// every change is refused with the same error, so that nothing is paid for that
// may not be remembered. nil: ctx ended first.
func (s *Store) Damaged(ctx context.Context) error {
	select {
	case <-s.damaged:
		return s.damageFound()
	case <-ctx.Done():
		return nil
	}
}

// damageFound returns the first damage that was found, or nil.
func (s *Store) damageFound() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// noteDamage returns err, and remembers it where it speaks of damage.
func (s *Store) noteDamage(err error) error {
	if errors.Is(err, ErrUnusable) && s.damage.CompareAndSwap(nil, &err) {
		s.log.Error("the database is damaged; nothing more is written to it", "err", err)
		close(s.damaged)
	}
	return err
}
