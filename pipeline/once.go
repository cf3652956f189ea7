package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/store"
)

// ErrLeft says that documents were left unfinished when Files had been closed and
// nothing more could be done, or nothing in reasonable time.
var ErrLeft = errors.New("documents are left in the inbox")

// errFinished ends the pipeline when there is nothing left to do.
var errFinished = errors.New("all documents are finished")

// How long a run for the files that are there waits for the service before it leaves
// documents behind, and how long for a limit that refuses again and again: a limit of
// so many requests a minute is waited out.
const (
	serviceGrace = time.Minute
	limitGrace   = 2 * time.Minute
)

// awaitEnd returns errFinished when no more files will come and every document is
// finished, or [ErrLeft] when what is left cannot be finished soon.
func (p *Pipeline) awaitEnd(ctx context.Context) error {
	select {
	case <-p.admitted:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		done, err := p.endedSoon(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // a stop leaves nothing behind
		}
		if done || err != nil {
			return err
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// endedSoon is ended, but does not wait long for a database that cannot be read.
func (p *Pipeline) endedSoon(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, serviceGrace)
	defer cancel()
	done, err = read(ctx, p, p.ended)
	if store.DiskTrouble(err) {
		err = fmt.Errorf("%w: %w", ErrLeft, err)
	}
	return done, err
}

// ended reports, with the error to end with, whether nothing more can be done.
func (p *Pipeline) ended(ctx context.Context) (bool, error) {
	counts, err := p.Store.Counts(ctx)
	if err != nil {
		return false, err
	}
	unfinished := 0
	for _, n := range counts {
		unfinished += n
	}
	if unfinished == 0 {
		return true, errFinished
	}
	if hold, _ := p.Hold(); hold != nil && tooLong(hold) {
		return true, fmt.Errorf("%w: %s: %s", ErrLeft, hold.Kind, hold.Reason)
	}
	stuck, err := p.Store.Stuck(ctx, time.Now().Add(serviceGrace))
	if err != nil {
		return false, err
	}
	if stuck >= unfinished {
		return true, fmt.Errorf("%w: %d cannot be finished now, see docusort report", ErrLeft, unfinished)
	}
	return false, nil
}

// tooLong reports whether a hold lasts longer than a run for the files that are there
// waits: one that needs a person does at once, and so does a limit that is known to
// last.
func tooLong(h *store.Hold) bool {
	lasted := time.Since(h.Since)
	switch h.Kind {
	case store.HoldAccount:
		return true
	case store.HoldRate:
		return time.Until(h.Until) > serviceGrace+time.Second || lasted >= limitGrace
	}
	return lasted >= serviceGrace
}
