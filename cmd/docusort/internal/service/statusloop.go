package service

import (
	"context"
	"time"
)

// The shortest time between two looks at the work, and the part of the time that
// they may take: counting a million documents takes a while.
const (
	shortestLook = time.Second
	lookingShare = 20
)

// ShowStatus keeps the status line up to date until ctx is done. look returns what to
// show; changed holds a token when that may have changed. A look that fails is made
// again at the next change. At midnight the numbers of the day begin anew.
func (m *Manager) ShowStatus(ctx context.Context, changed <-chan struct{}, look func(context.Context) (Work, error)) error {
	if m.absent {
		return nil
	}
	shown := ""
	for ctx.Err() == nil {
		begun := time.Now()
		work, err := look(ctx)
		if line := work.Line(); err == nil && line != shown {
			m.setStatus(line)
			shown = line
		}
		select {
		case <-time.After(max(shortestLook, lookingShare*time.Since(begun))):
		case <-ctx.Done():
		}
		select {
		case <-changed:
		case <-work.Changed:
		case <-midnight(time.Now(), work):
		case <-ctx.Done():
		}
	}
	return nil
}

// midnight returns when what is shown of today is over; never, where nothing is.
func midnight(now time.Time, w Work) <-chan time.Time {
	for _, n := range w.Today {
		if n > 0 {
			year, month, day := now.Date()
			return time.After(time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now))
		}
	}
	return nil
}
