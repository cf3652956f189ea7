package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/cmd/docusort/internal/progress"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// onceSettle is the longest that run --once lets files settle: whoever starts it
// has usually put the documents there already.
const onceSettle = 2 * time.Second

// errStopped is the error of a run that was stopped before its end.
var errStopped = fmt.Errorf("%w: it was stopped; another run goes on with what is left", errLeft)

func (p program) runOnce(ctx context.Context, s *settings.Settings) (err error) {
	s.Settle = min(s.Settle, onceSettle)
	line := progress.New(p.stderr, isTerminal(p.stderr), func() int { return width(p.stderr) })
	defer line.Finish()
	d, err := p.newDaemon(ctx, s, p.logger(line.Writer(), s), false)
	if err == nil {
		defer func() { err = errors.Join(err, d.close()) }()
		err = d.recordStart(ctx)
	}
	if wasStopped(ctx, err) {
		return errStopped
	}
	if err != nil {
		return err
	}
	return d.once(ctx, line)
}

// once brings what is in the inbox now to its end. The error wraps errLeft where
// something failed or is left.
func (d *daemon) once(ctx context.Context, line *progress.Line) error {
	begun := time.Now()
	g, running := errgroup.WithContext(ctx)
	var unsettled []string
	g.Go(func() (err error) {
		defer close(d.files)
		unsettled, err = d.watcher.RunOnce(running)
		return err
	})
	var finished bool // and not stopped
	watching, stop := context.WithCancel(running)
	g.Go(func() error {
		defer stop()
		err := d.pipeline.Run(running)
		finished = err == nil && running.Err() == nil
		return err
	})
	g.Go(func() error {
		d.showProgress(watching, begun, line.Update)
		return nil
	})
	err := g.Wait()
	line.Finish()
	switch {
	case errors.Is(err, pipeline.ErrLeft):
		err = fmt.Errorf("%w: %w; see '%s'", errLeft, err, d.settings.Command("report"))
	case err == nil && finished:
		err = d.checkFiled(context.WithoutCancel(ctx), begun, unsettled)
	case err == nil:
		err = errStopped
	}
	return errors.Join(err, d.hook.Drain(ctx), d.recordStop(ctx))
}

func (d *daemon) checkFiled(ctx context.Context, begun time.Time, unsettled []string) error {
	for _, path := range unsettled {
		d.log.Warn("left: still being written, cut short, or not readable", "path", path)
	}
	counts, err := d.store.Finished(ctx, begun)
	switch {
	case err != nil:
		return err
	case counts[store.Failed] > 0:
		return fmt.Errorf("%w: %d could not be identified, see '%s'", errLeft, counts[store.Failed], d.settings.Command("report"))
	case len(unsettled) > 0:
		return fmt.Errorf("%w: %d are still being written, cut short or not readable", errLeft, len(unsettled))
	}
	return nil
}

// showProgress calls show with what was finished since begun, that plus what is
// unfinished, and a line about the latter, until ctx is done.
func (d *daemon) showProgress(ctx context.Context, begun time.Time, show func(finished, total int, detail string)) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		ended, err := d.store.Finished(ctx, begun)
		open, err2 := d.store.Counts(ctx)
		if err == nil && err2 == nil {
			finished := sum(ended)
			detail := fmt.Sprintf("%d waiting, %d uploading, %d pending", open[store.Waiting], open[store.Submitting], open[store.Pending])
			show(finished, finished+sum(open), detail)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func sum(counts map[store.State]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
