package main

import (
	"context"
	"sync"
	"time"

	"docusort/cmd/docusort/internal/service"
)

// readyAnyway is when the daemon counts as started although the inbox is not there
// yet. At the boot of a machine whose file server is off, neither a start that never
// ends nor one that fails would help.
const readyAnyway = 30 * time.Second

// stopMargin is how long a stop may take beyond the uploads under way: storing what
// became of them, and closing the database.
const stopMargin = 30 * time.Second

// notifyManager tells the service manager, if there is one, how the daemon is.
func (d *daemon) notifyManager(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { d.manager.Watchdog(ctx, d.late) })
	running.Go(func() { d.manager.ShowStatus(ctx, d.store.Changed(), d.work) })
	select {
	case <-d.watcher.Ready():
	case <-time.After(readyAnyway):
		d.log.Warn("the inbox has not been scanned yet; the daemon counts as started", "path", d.settings.Inbox)
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		d.manager.Ready()
	}
	<-ctx.Done()
	d.log.Info("stopping; uploads under way may finish", "grace", d.settings.ShutdownGrace)
	d.manager.Stopping(d.settings.ShutdownGrace + stopMargin)
	running.Wait()
	return nil
}

func (d *daemon) work(ctx context.Context) (service.Work, error) {
	var w service.Work
	w.Hold, w.Changed = d.pipeline.Hold()
	var err error
	if w.Open, err = d.store.Counts(ctx); err != nil {
		return w, err
	}
	if w.Stuck, err = d.store.Stuck(ctx); err != nil {
		return w, err
	}
	now := time.Now()
	year, month, day := now.Date()
	w.Today, err = d.store.Finished(ctx, time.Date(year, month, day, 0, 0, 0, 0, now.Location()))
	return w, err
}
