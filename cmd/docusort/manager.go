package main

import (
	"context"
	"time"

	"docusort/cmd/docusort/internal/service"

	"golang.org/x/sync/errgroup"
)

// readyAnyway is when the daemon counts as started although the inbox is not
// there yet: it waits for it as long as it takes, and neither a start that never
// ends nor one that fails would be of help, as at the boot of a machine whose
// file server is off.
const readyAnyway = 30 * time.Second

// stopMargin is how long the end of a run may take beyond the uploads under way:
// storing what became of them, and closing the record.
const stopMargin = 30 * time.Second

// tellManager tells the service manager, if there is one, how the daemon is.
func (d *daemon) tellManager(ctx context.Context) error {
	checks := []service.Check{d.watcher.Late, answers(ctx, "store", d.store.Alive)}
	for name, alive := range d.pipeline.Alive() {
		checks = append(checks, answers(ctx, name, alive))
	}
	var g errgroup.Group
	g.Go(func() error { return d.manager.Watchdog(ctx, checks...) })
	g.Go(func() error { return d.manager.Show(ctx, d.store.Changed(), d.work) })
	g.Go(func() error {
		timer := time.NewTimer(readyAnyway)
		defer timer.Stop()
		select {
		case <-d.watcher.Ready():
		case <-timer.C:
			d.log.Warn("the inbox has not been looked at yet; the daemon counts as started", "path", d.settings.Inbox)
		case <-ctx.Done():
		}
		if ctx.Err() == nil {
			d.manager.Ready()
		}
		<-ctx.Done()
		d.log.Info("docusort stops; uploads under way may end", "grace", d.settings.ShutdownGrace)
		d.manager.Stopping(d.settings.ShutdownGrace + stopMargin)
		return nil
	})
	return g.Wait()
}

// answers makes a check of a loop that answers whoever asks.
func answers(ctx context.Context, name string, alive func(context.Context) error) service.Check {
	return func(limit time.Duration) string {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		if alive(ctx) != nil {
			return name
		}
		return ""
	}
}

// work is what there is to show at a glance.
func (d *daemon) work(ctx context.Context) (service.Work, error) {
	var w service.Work
	w.Hold, w.Changed = d.pipeline.Hold()
	select {
	case <-d.watcher.Ready():
	default:
		w.Inbox, w.Changed = d.settings.Inbox, d.watcher.Ready()
	}
	var err error
	if w.Open, err = d.store.Counts(ctx); err != nil {
		return w, err
	}
	now := time.Now()
	year, month, day := now.Date()
	w.Today, err = d.store.Finished(ctx, time.Date(year, month, day, 0, 0, 0, 0, now.Location()))
	return w, err
}
