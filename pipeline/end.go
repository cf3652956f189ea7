package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/store"
)

// ErrLeft says that documents were left unfinished when Files had been closed
// and nothing more could be done, or nothing in reasonable time.
var ErrLeft = errors.New("documents are left in the inbox")

// errFinished ends the stages when there is nothing left to do.
var errFinished = errors.New("all is done")

// How long an end waits for the service before it leaves documents behind, and
// how long for one that refuses again and again for its limit: a limit of so many
// requests a minute is waited out.
const (
	serviceGrace = time.Minute
	limitGrace   = 2 * time.Minute
)

// awaitEnd returns errFinished when no more files will come and every document
// is finished, or [ErrLeft] when what is left cannot be finished soon. It never
// does while files may still come.
func (p *Pipeline) awaitEnd(ctx context.Context) error {
	select {
	case <-p.noMoreFiles:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		done, err := p.endedSoon(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // a stop is no end with something left
		}
		if done || err != nil {
			return err
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// endedSoon is ended, but does not wait long for a record that cannot be read.
func (p *Pipeline) endedSoon(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, serviceGrace)
	defer cancel()
	done, err = asked(ctx, p, nil, p.ended)
	if store.DiskTrouble(err) {
		err = fmt.Errorf("%w: %w", ErrLeft, err)
	}
	return done, err
}

// ended says, with the error to end with, whether nothing more can be done.
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
	hold, _, _ := p.gate.shown(time.Now())
	if hold != nil && tooLong(hold) {
		return true, fmt.Errorf("%w: %s: %s", ErrLeft, hold.Kind, hold.Reason)
	}
	stuck, err := p.Store.Stuck(ctx, time.Now().Add(serviceGrace))
	if err != nil {
		return false, err
	}
	if stuck+int(p.stuckAside.Load()) >= unfinished {
		return true, fmt.Errorf("%w: %d cannot be finished now, see docusort report", ErrLeft, unfinished)
	}
	return false, nil
}

// tooLong says whether a hold lasts longer than an end waits: one that needs a
// person does at once, and so does a limit that is known to last.
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
