package pipeline

import (
	"context"
	"time"
)

const (
	// forgetBatch is how many records are removed at once: a few milliseconds,
	// that whatever else is to be stored waits at the most.
	forgetBatch = 200
	// forgetPause lets others store between two batches.
	forgetPause = 20 * time.Millisecond
	// forgetEvery is how often records are removed, where any are due.
	forgetEvery = time.Hour
)

// forgetAll removes the records of finished documents that are older than
// KeepHistory, at the start and then when the oldest is due, not more often than
// forgetEvery. The files stay where they are.
func (p *Pipeline) forgetAll(ctx context.Context) error {
	for p.KeepHistory > 0 {
		if err := p.forget(ctx); err != nil {
			return err
		}
		oldest, err := asked(ctx, p, nil, p.Store.OldestFinished)
		if err != nil {
			return err
		}
		// Whatever is finished from now on is due after all that is there.
		wait := p.KeepHistory
		if !oldest.IsZero() {
			wait = time.Until(oldest.Add(p.KeepHistory)) + time.Millisecond
		}
		if !sleep(ctx, max(wait, min(forgetEvery, p.KeepHistory))) {
			return ctx.Err()
		}
	}
	return nil
}

func (p *Pipeline) forget(ctx context.Context) error {
	before, all := time.Now().Add(-p.KeepHistory), int64(0)
	for {
		var n int64
		err := p.durable(ctx, func(ctx context.Context) (err error) {
			n, err = p.Store.Prune(ctx, before, forgetBatch)
			return err
		})
		if err != nil {
			return err
		}
		if all += n; n < forgetBatch {
			break
		}
		if !sleep(ctx, forgetPause) {
			return ctx.Err()
		}
	}
	if all > 0 {
		p.log.Info("old documents left the record; their files stay", "documents", all, "older_than", p.KeepHistory)
	}
	return nil
}
