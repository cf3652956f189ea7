package store

import "context"

// Alive returns nil once the goroutine that writes has shown that it goes round,
// whatever the disk lets it store, and an error when ctx ends before.
func (s *Store) Alive(ctx context.Context) error {
	select {
	case s.pulse <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closing:
		return ErrClosed
	}
}

// Changed returns a channel that holds a token when something was committed since
// one was last taken. It is for one listener.
func (s *Store) Changed() <-chan struct{} { return s.changed }

func (s *Store) noteChange() {
	for _, told := range []chan struct{}{s.changed, s.committed} {
		select {
		case told <- struct{}{}:
		default:
		}
	}
}
