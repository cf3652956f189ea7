package pipeline

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"docusort/pipeline/gate"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// dispatcher gives each document that can be worked on a goroutine of its own. What
// follows uploads is the submitting loop's alone.
type dispatcher struct {
	p         *Pipeline
	l         lifetimes
	documents errgroup.Group // their goroutines
	working   sync.Map       // their ids
	parked    chan struct{}  // a place for each parked job that is polled
	places    chan struct{}  // a place for each other document
	excess    atomic.Int64   // places that an earlier run took beyond MaxPending
	uploads   chan struct{}  // a place for each of Workers

	ready []store.Document
	tried bool // the last probe was a document that had been tried before
}

// dispatch works on documents until ctx ends, or one of its loops fails, and returns
// when all their goroutines have ended. jobs are those that an earlier run left at the
// service.
func (p *Pipeline) dispatch(l lifetimes, jobs []store.Document) error {
	g, work := errgroup.WithContext(l.work)
	l.work = work                                                                                  // where a loop fails, the documents stop as well
	jobs = slices.DeleteFunc(jobs, func(doc store.Document) bool { return !doc.RetryAt.IsZero() }) // parked
	places := max(p.MaxPending, len(jobs))
	d := &dispatcher{
		p: p, l: l, parked: make(chan struct{}, parkedPlaces),
		tried: true, places: make(chan struct{}, places), uploads: make(chan struct{}, p.Workers),
	}
	d.documents.SetLimit(places + parkedPlaces) // which places keep: Go never waits
	d.excess.Store(int64(places - p.MaxPending))
	for _, doc := range jobs {
		d.places <- struct{}{}
		d.start(doc, nil, d.leavePlace)
	}
	g.Go(func() error { return d.submitAll(work) })
	g.Go(func() error { return d.pollParked(work) })
	err := g.Wait()
	_ = d.documents.Wait() // a document's trouble is no error
	return err
}

// leavePlace gives a place among MaxPending back.
func (d *dispatcher) leavePlace() {
	if d.excess.Add(-1) < 0 {
		<-d.places
	}
}

// start works on a document in a goroutine of its own, as far as it gets. It has a place,
// which leave gives back. t is nil for a document that has a job.
func (d *dispatcher) start(doc store.Document, t *turn, leave func()) {
	d.working.Store(doc.ID, nil)
	d.documents.Go(func() error {
		d.p.notStored(&doc, d.p.identify(d.l, &doc, t))
		t.end()
		d.working.Delete(doc.ID)
		leave()
		if doc.State != store.Identified { // it may wait again: the loops leave it alone until it was removed
			d.p.dispatchNow.wake()
			d.p.parkedNow.wake()
		}
		return nil
	})
}

// inHand is how many documents may be worked on, at most.
func (d *dispatcher) inHand() int { return len(d.places) + len(d.parked) }

func (d *dispatcher) isWorking(doc store.Document) bool {
	_, is := d.working.Load(doc.ID)
	return is
}

// submitAll starts a goroutine for each document that may be submitted.
func (d *dispatcher) submitAll(ctx context.Context) error {
	for {
		if err := d.refill(ctx); err != nil {
			return err
		}
		t, err := d.turn(ctx)
		if err != nil {
			return err
		}
		doc, err := d.choose(ctx, t.permit.Probe)
		if doc == nil {
			t.end()
			d.leavePlace()
		} else {
			d.start(*doc, t, d.leavePlace)
		}
		if err != nil {
			return err
		}
	}
}

// turn is what a submission needs before a document is chosen for it: a place among
// MaxPending, a place for an upload, and a permit of the gate.
type turn struct {
	permit *gate.Permit
	upload func() // gives the place for an upload back
}

// turn waits for a turn. It fails only where ctx ends, and with it all work.
func (d *dispatcher) turn(ctx context.Context) (*turn, error) {
	d.p.dispatching.idle()
	for _, places := range []chan struct{}{d.places, d.uploads} {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	permit, err := d.p.gate.Acquire(ctx, gate.Submission)
	return &turn{permit, sync.OnceFunc(func() { <-d.uploads })}, err
}

// end gives back what was not used.
func (t *turn) end() {
	if t != nil {
		t.upload()
		t.permit.Release()
	}
}

// refillCount is how many documents are read from the database at once.
const refillCount = 64

// refill reads what may be submitted now, where all was that it read before, and waits
// until there is something.
func (d *dispatcher) refill(ctx context.Context) (err error) {
	for d.p.dispatching.beat(); len(d.ready) == 0; d.p.dispatching.beat() {
		now := time.Now()
		d.ready, err = read(ctx, d.p, func(ctx context.Context) ([]store.Document, error) {
			if d.p.gate.SubmissionsHeld() {
				return d.probes(ctx) // whatever their pauses
			}
			return d.p.Store.Due(ctx, store.PhaseReady, now, refillCount+d.inHand())
		})
		if d.ready = slices.DeleteFunc(d.ready, d.isWorking); err != nil || len(d.ready) > 0 {
			return err
		}
		again, err := read(ctx, d.p, func(ctx context.Context) (time.Time, error) {
			return d.p.Store.NextDue(ctx, store.PhaseReady, now)
		})
		if err != nil {
			return err
		}
		d.p.dispatching.idle()
		select {
		case <-d.p.dispatchNow:
		case <-at(again):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// choose returns the document to submit, nil where there is none: the first that is
// ready. As a probe, it takes in turn the newest that was never tried and the one that
// was tried longest ago.
func (d *dispatcher) choose(ctx context.Context, probe bool) (doc *store.Document, err error) {
	d.p.dispatching.beat()
	if probe {
		d.ready, err = read(ctx, d.p, d.probes)
		d.ready = slices.DeleteFunc(d.ready, d.isWorking)
	}
	if len(d.ready) == 0 || err != nil {
		return nil, err
	}
	doc, d.ready = &d.ready[0], d.ready[1:]
	if probe {
		d.tried = doc.Submissions > 0
		d.ready = nil // the others were chosen whatever their pauses
	}
	return doc, nil
}

// probes returns the documents that may be submitted as a probe, the best one first.
func (d *dispatcher) probes(ctx context.Context) ([]store.Document, error) {
	n := d.inHand() + 1
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
