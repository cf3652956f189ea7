package service

import (
	"context"
	"time"
)

// Shortest time between two looks at what is to be shown, and the share of the
// time that looking may take: a backlog of a million takes a while to count.
const (
	shortestLook = time.Second
	lookingShare = 20
)

// Show keeps the status up to date until ctx is done, and then returns nil. look
// returns what there is to show; changed tells that it may be something else. At
// midnight a day's numbers begin anew. A look that fails is made again at the
// next change.
func (m *Manager) Show(ctx context.Context, changed <-chan struct{}, look func(context.Context) (Work, error)) error {
	if m.nobody {
		return nil
	}
	shown := ""
	for {
		begun := time.Now()
		work, err := look(ctx)
		if line := work.Line(); err == nil && line != shown {
			m.Status(line)
			shown = line
		}
		if !wait(ctx, max(shortestLook, lookingShare*time.Since(begun)), nil, nil) {
			return nil
		}
		if !wait(ctx, untilMidnight(time.Now(), work), changed, work.Changed) {
			return nil
		}
	}
}

// wait returns once a time is over, or it is woken by either channel; false means that ctx ended.
// A negative time lasts for ever.
func wait(ctx context.Context, d time.Duration, wake, alsoWake <-chan struct{}) bool {
	var over <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-wake:
	case <-alsoWake:
	case <-over:
	case <-ctx.Done():
		return false
	}
	return true
}

// untilMidnight returns how long what is shown of today holds; negative: for
// ever, as nothing ended today.
func untilMidnight(now time.Time, w Work) time.Duration {
	for _, n := range w.Today {
		if n > 0 {
			year, month, day := now.Date()
			return time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now)
		}
	}
	return -1
}
