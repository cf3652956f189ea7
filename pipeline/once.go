package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/store"
)

// ErrLeft says that Files was closed, and documents are left that cannot be finished soon.
var ErrLeft = errors.New("documents are left in the inbox")

// errFinished ends the pipeline when there is nothing left to do.
var errFinished = errors.New("all documents are finished")

// How long a run with --once waits before it leaves documents behind.
const (
	serviceGrace = time.Minute     // for the service
	limitGrace   = 2 * time.Minute // for a limit that goes on refusing: one of a minute ends within that
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
		// A database that cannot be read is not waited for any longer than the service.
		within, cancel := context.WithTimeout(ctx, serviceGrace)
		_, err := read(within, p, p.unfinished)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err() // a stop leaves nothing behind
		case store.DiskTrouble(err):
			return fmt.Errorf("%w: %w", ErrLeft, err)
		case err != nil:
			return err
		case !sleep(ctx, 100*time.Millisecond):
			return ctx.Err()
		}
	}
}

// unfinished counts the documents that can be finished soon; none: the error to end with.
func (p *Pipeline) unfinished(ctx context.Context) (n int, err error) {
	counts, err := p.Store.Counts(ctx)
	if err != nil {
		return 0, err
	}
	for _, of := range counts {
		n += of
	}
	if n == 0 {
		return 0, errFinished
	}
	if hold, _ := p.Hold(); hold != nil && tooLong(hold) {
		return 0, fmt.Errorf("%w: %s: %s", ErrLeft, hold.Kind, hold.Reason)
	}
	stuck, err := p.Store.Left(ctx, time.Now().Add(serviceGrace))
	if err == nil && stuck >= n {
		err = fmt.Errorf("%w: %d cannot be finished now", ErrLeft, n)
	}
	return n - stuck, err
}

// tooLong reports whether a run with --once does not wait for the end of a hold: one that
// needs a person, a rate limit that is known to last, or one that has lasted too long.
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
