package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// dispatcher gives each document that can be worked on a goroutine of its own. Its
// fields are those of the loop that submits, where nothing else is said.
type dispatcher struct {
	p         *Pipeline
	l         lifetimes
	working   *working
	documents errgroup.Group // a goroutine for each of them
	uploads   chan struct{}  // a place for each of Workers
	parked    chan struct{}  // a place for each parked job that is polled

	ready []store.Document
	all   bool      // ready had everything that was due at asOf
	asOf  time.Time // when ready was read
	tried bool      // the last probe was a document that had been tried before
}

// dispatch works on documents until ctx ends, or one of its loops fails, and returns
// when all their goroutines have ended. jobs are those that an earlier run left at the
// service.
func (p *Pipeline) dispatch(l lifetimes, jobs []store.Document) error {
	g, work := errgroup.WithContext(l.work)
	l.work = work // where a loop fails, the documents stop as well
	d := &dispatcher{
		p: p, l: l, working: newWorking(p.MaxPending),
		uploads: make(chan struct{}, p.Workers), parked: make(chan struct{}, parkedPlaces),
	}
	d.documents.SetLimit(max(p.MaxPending, len(jobs)) + parkedPlaces)
	for _, doc := range jobs {
		if doc.RetryAt.IsZero() { // else it is parked
			d.start(doc, nil, true)
		}
	}
	g.Go(func() error { return d.submitAll(work) })
	g.Go(func() error { return d.pollParked(work) })
	err := g.Wait()
	_ = d.documents.Wait() // its functions return no errors
	return err
}

// submitAll starts a goroutine for each document that may be submitted.
func (d *dispatcher) submitAll(ctx context.Context) error {
	for {
		d.p.loops.dispatch.beat()
		if len(d.ready) == 0 && d.all {
			if err := d.await(ctx); err != nil {
				return err
			}
		}
		if len(d.ready) == 0 {
			if err := d.refill(ctx); err != nil {
				return err
			}
			continue
		}
		turn, err := d.turn(ctx)
		if err != nil {
			return err
		}
		doc, ok, err := d.choose(ctx, turn.permit.Probe)
		if err != nil {
			turn.end()
			return err
		}
		if !ok {
			turn.end()
			continue
		}
		d.start(doc, turn, true)
	}
}

// refillCount is how many documents are read from the database at once.
const refillCount = 64

// refill reads what may be submitted now.
func (d *dispatcher) refill(ctx context.Context) (err error) {
	limit := refillCount + d.working.len()
	d.asOf = time.Now()
	d.ready, err = read(ctx, d.p, func(ctx context.Context) ([]store.Document, error) {
		if d.p.gate.SubmissionsHeld() {
			return d.probes(ctx) // whatever their pauses
		}
		return d.p.Store.Due(ctx, store.PhaseReady, d.asOf, limit)
	})
	if err != nil {
		return fmt.Errorf("read the documents to submit: %w", err)
	}
	d.all = len(d.ready) < limit
	d.ready = slices.DeleteFunc(d.ready, d.working.has)
	return nil
}

// await waits until a pause has ended, or until it is woken.
func (d *dispatcher) await(ctx context.Context) error {
	again, err := read(ctx, d.p, func(ctx context.Context) (time.Time, error) {
		return d.p.Store.NextDue(ctx, store.PhaseReady, d.asOf)
	})
	if err != nil {
		return fmt.Errorf("read when to submit again: %w", err)
	}
	d.p.loops.dispatch.idle()
	select {
	case <-d.p.dispatchNow:
	case <-at(again):
	case <-ctx.Done():
		return ctx.Err()
	}
	d.p.loops.dispatch.beat()
	d.all = false
	return nil
}

// choose returns the document to submit: the first that is ready. As a probe, it takes
// in turn the newest that was never tried and the one that was tried longest ago.
func (d *dispatcher) choose(ctx context.Context, probe bool) (doc store.Document, ok bool, err error) {
	d.p.loops.dispatch.beat()
	if probe {
		if d.ready, err = read(ctx, d.p, d.probes); err != nil {
			return doc, false, err
		}
		d.ready = slices.DeleteFunc(d.ready, d.working.has)
	}
	if len(d.ready) == 0 {
		return doc, false, nil
	}
	doc, d.ready = d.ready[0], d.ready[1:]
	if probe {
		d.tried = doc.Submissions > 0
		d.ready, d.all = nil, false // the others were chosen whatever their pauses
	}
	return doc, true, nil
}

// probes returns the documents that may be submitted as a probe, the best one first.
func (d *dispatcher) probes(ctx context.Context) ([]store.Document, error) {
	n := d.working.len() + 1
	untried, err := d.p.Store.Untried(ctx, n)
	if err != nil {
		return nil, err
	}
	d.p.gate.Untried(len(untried) > 0)
	tried, err := d.p.Store.Tried(ctx, n)
	if d.tried {
		return append(untried, tried...), err
	}
	return append(tried, untried...), err
}

// start works on a document in a goroutine of its own, as far as it gets. Places bound
// their number, so that Go, which does not heed a context, never waits for longer than a
// goroutine takes that has just given its place back. t is nil for a document that has a
// job. placed says that it takes a place among MaxPending; otherwise it
// has one for parked jobs.
func (d *dispatcher) start(doc store.Document, t *turn, placed bool) {
	d.working.add(doc.ID, placed)
	d.documents.Go(func() error {
		if err := d.p.identify(d.l, &doc, t); err != nil {
			d.p.notStored(&doc, err)
		}
		t.end()
		d.working.remove(doc.ID)
		if !placed {
			<-d.parked
		}
		if doc.State != store.Identified { // it may wait again: the loops leave it alone until it was removed
			d.p.dispatchNow.wake()
			d.p.parkedNow.wake()
		}
		return nil
	})
}
