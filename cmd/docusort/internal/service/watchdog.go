package service

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"
)

// Watchdog asks every loop, by its name, to show that it is alive, and tells the
// service manager when all have. It asks as often as the manager wants to be
// told, with time to spare, and returns nil when ctx is done, or at once where
// there is no watchdog. A loop is waited for as long as it takes: if that is too
// long, the manager acts.
func (m *Manager) Watchdog(ctx context.Context, loops map[string]func(context.Context) error) error {
	if m.watchdog <= 0 {
		return nil
	}
	pause := m.watchdog / 3
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		if !m.askAll(ctx, pause, loops) {
			return nil
		}
		m.tell(daemon.SdNotifyWatchdog)
		timer.Reset(pause)
	}
}

// askAll says whether all answered; not, where ctx ended before. Who has not
// answered for long is named, for those who will wonder why the process ended.
func (m *Manager) askAll(ctx context.Context, long time.Duration, loops map[string]func(context.Context) error) bool {
	var asked errgroup.Group
	for name, ask := range loops {
		asked.Go(func() error {
			late := time.AfterFunc(long, func() { m.log.Warn("a part of the daemon does not answer", "part", name) })
			defer late.Stop()
			return ask(ctx)
		})
	}
	return asked.Wait() == nil && ctx.Err() == nil
}
