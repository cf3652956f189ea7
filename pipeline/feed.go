package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	err := p.feed(l.work, claimed, func(doc store.Queued) {
		p.inFlight.Add(1)
		p.begun.Add(1)
		p.pulses.submit.put(room)
		uploads.Go(func() error {
			leave := sync.OnceFunc(func() { <-room })
			defer leave()
			if !p.submit(l, &doc.Document, doc.Unheard, leave) {
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
func (p *Pipeline) feed(ctx context.Context, claimed *claims, upload func(store.Queued)) error {
	for {
		p.pulses.submit.answer()
		now := time.Now()
		ids, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) ([]int64, error) {
			return p.Store.Submittable(ctx, now, claimed.len()+2*p.Workers)
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("what is to be submitted: %w", err)
		}
		docs, err := p.claim(ctx, claimed, ids)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("what is to be submitted: %w", err)
		}
		for _, doc := range docs {
			for p.inFlight.Load() >= int64(p.MaxPending) {
				select {
				case <-p.slotFreed:
				case <-p.pulses.submit:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			upload(doc)
		}
		if len(docs) > 0 {
			continue
		}
		if err := p.awaitSubmittable(ctx, now); err != nil {
			return err
		}
	}
}

// claim takes those documents of a list that nobody works on, and reads them as they
// are then: one may have been uploaded since the list was made, and wait again.
func (p *Pipeline) claim(ctx context.Context, claimed *claims, list []int64) ([]store.Queued, error) {
	ids := slices.DeleteFunc(list, func(id int64) bool { return !claimed.claim(id) })
	if len(ids) == 0 {
		return nil, nil
	}
	docs, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) ([]store.Queued, error) {
		return p.Store.Queued(ctx, ids)
	})
	now := time.Now()
	docs = slices.DeleteFunc(docs, func(d store.Queued) bool { return !submittable(&d.Document, now) })
	for _, id := range ids {
		if !slices.ContainsFunc(docs, func(d store.Queued) bool { return d.ID == id }) {
			claimed.release(id)
		}
	}
	return docs, err
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
