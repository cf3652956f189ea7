package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// submitAll uploads what waits: new documents in the order of their arrival
// before those that wait out a pause, Workers at a time, as long as fewer than
// MaxPending jobs are in flight. It returns when ctx is done and the uploads
// under way have ended.
func (p *Pipeline) submitAll(l lifetimes) error {
	var uploads errgroup.Group
	room := make(chan struct{}, p.Workers) // not SetLimit, which would block where nobody answers
	claimed := newClaims()
	err := p.feed(l.work, claimed, func(doc store.Document, fresh bool) {
		p.inFlight.Add(1)
		p.begun.Add(1)
		p.pulses.submit.put(room)
		uploads.Go(func() error {
			leave := sync.OnceFunc(func() { <-room })
			defer leave()
			if !p.submit(l, &doc, fresh, leave) {
				p.freeSlot()
			}
			claimed.release(doc.ID)
			p.submitWake.wake()
			return nil
		})
	})
	return errors.Join(err, uploads.Wait())
}

// feed hands documents to upload, which blocks while all workers are busy.
func (p *Pipeline) feed(ctx context.Context, claimed *claims, upload func(doc store.Document, fresh bool)) error {
	for {
		p.pulses.submit.answer()
		now := time.Now()
		ids, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) ([]int64, error) {
			return p.Store.Submittable(ctx, now, claimed.len()+2*p.Workers)
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("what is to be submitted: %w", err)
		}
		idle := true
		for _, id := range ids {
			for p.inFlight.Load() >= int64(p.MaxPending) {
				select {
				case <-p.slotFreed:
				case <-p.pulses.submit:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if ctx.Err() != nil || !claimed.claim(id) {
				continue
			}
			doc, known := p.fresh.take(id)
			if !known {
				// It may have been uploaded since it was listed, and wait again.
				if doc, err = p.current(ctx, id); err != nil && ctx.Err() == nil {
					return fmt.Errorf("whether it is to be submitted: %w", err)
				}
				if err != nil || !submittable(&doc, time.Now()) {
					claimed.release(id)
					continue
				}
			}
			idle = false
			upload(doc, known)
		}
		if !idle {
			continue
		}
		if err := p.awaitSubmittable(ctx, now); err != nil {
			return err
		}
	}
}

// current reads a document as it is now.
func (p *Pipeline) current(ctx context.Context, id int64) (store.Document, error) {
	return asked(ctx, p, p.pulses.submit, func(ctx context.Context) (store.Document, error) {
		return p.Store.Document(ctx, id)
	})
}

func submittable(d *store.Document, now time.Time) bool {
	return d.State == store.Waiting && d.Outcome == "" && d.WaitsFor == 0 && d.SHA256 != nil && d.PutBack == "" &&
		!d.RetryAt.After(now)
}

// awaitSubmittable returns when there may be something to submit.
func (p *Pipeline) awaitSubmittable(ctx context.Context, now time.Time) error {
	next, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) (time.Time, error) { return p.Store.NextRetry(ctx, now) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("when to submit again: %w", err)
	}
	due := at(next)
	for {
		select {
		case <-p.submitWake:
			return nil
		case <-due:
			return nil
		case <-p.pulses.submit:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Pipeline) freeSlot() {
	p.inFlight.Add(-1)
	p.slotFreed.wake()
}
