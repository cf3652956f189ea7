package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/cmd/docusort/internal/progress"
	"docusort/pipeline"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// onceSettle is how long run --once lets files settle at the most: whoever
// starts it has put the documents there already.
const onceSettle = 2 * time.Second

// once takes what is in the inbox now through the whole way and ends. errLeft:
// something failed or is left.
func (d *daemon) once(ctx context.Context, line *progress.Line) error {
	begun := time.Now()
	if err := d.started(ctx); err != nil {
		return stoppedEarly(ctx, true, err)
	}
	g, running := errgroup.WithContext(ctx)
	var unsettled []string
	g.Go(func() (err error) {
		defer close(d.files)
		unsettled, err = d.watcher.RunOnce(running)
		return err
	})
	done := make(chan struct{})
	var finished bool // by itself, and not by a stop
	g.Go(func() error {
		defer close(done)
		err := d.pipeline.Run(running)
		finished = err == nil && running.Err() == nil
		return err
	})
	g.Go(func() error { return d.showProgress(running, line, begun, done) })
	err := g.Wait()
	line.Finish()
	switch {
	case errors.Is(err, pipeline.ErrLeft):
		err = fmt.Errorf("%w: %w", errLeft, err)
	case err == nil && finished:
		err = d.leftByOnce(context.WithoutCancel(ctx), begun, unsettled)
	case err == nil:
		err = d.leftByStop(context.WithoutCancel(ctx), len(unsettled))
	}
	return errors.Join(err, d.hook.Drain(ctx), d.stopped(ctx))
}

// leftByOnce says what came to its end and was not filed.
func (d *daemon) leftByOnce(ctx context.Context, begun time.Time, unsettled []string) error {
	for _, path := range unsettled {
		d.log.Warn("left: still being written, or cut short", "path", path)
	}
	counts, err := d.store.Finished(ctx, begun)
	switch {
	case err != nil:
		return err
	case counts[store.Failed] > 0:
		return fmt.Errorf("%w: %d could not be identified, see 'docusort report'", errLeft, counts[store.Failed])
	case len(unsettled) > 0:
		return fmt.Errorf("%w: %d are still being written or cut short", errLeft, len(unsettled))
	}
	return nil
}

// leftByStop says what was not done yet when it was stopped. There may be files
// that it had not looked at, or had looked at and not stored.
func (d *daemon) leftByStop(ctx context.Context, unsettled int) error {
	open, err := d.store.Counts(ctx)
	if err != nil {
		return err
	}
	left := unsettled
	for _, n := range open {
		left += n
	}
	if left == 0 {
		return fmt.Errorf("%w: it was stopped before it was done with the inbox", errLeft)
	}
	return fmt.Errorf("%w: %d were under way when it was stopped; another run goes on with them", errLeft, left)
}

// progressEvery is how often progress is looked at.
const progressEvery = 200 * time.Millisecond

// showProgress keeps the line up to date until done is closed.
func (d *daemon) showProgress(ctx context.Context, line *progress.Line, begun time.Time, done <-chan struct{}) error {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		if finished, total, detail, err := d.progress(ctx, begun); err == nil {
			line.Update(finished, total, detail)
		}
		select {
		case <-ticker.C:
		case <-done:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// progress counts what was finished since begun, and all that there is to do.
func (d *daemon) progress(ctx context.Context, begun time.Time) (finished, total int, detail string, err error) {
	ended, err := d.store.Finished(ctx, begun)
	if err != nil {
		return 0, 0, "", err
	}
	open, err := d.store.Counts(ctx)
	if err != nil {
		return 0, 0, "", err
	}
	for _, n := range ended {
		finished += n
	}
	total = finished
	for _, n := range open {
		total += n
	}
	detail = fmt.Sprintf("%d waiting, %d uploading, %d pending", open[store.Waiting], open[store.Submitting], open[store.Pending])
	return finished, total, detail, nil
}
