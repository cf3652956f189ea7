package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"docusort/pipeline/gate"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// dispatcher gives each document that can be worked on a goroutine, one at a time
// and no more than limit together.
type dispatcher struct {
	p         *Pipeline
	l         lifetimes
	documents errgroup.Group // a goroutine each
	uploads   chan struct{}  // places for uploads
	limit     int            // of goroutines
	ready     []store.Document
	all       bool      // ready was all that there was
	asOf      time.Time // then
	tried     bool      // the last probe was a document that had been tried before

	mu     sync.Mutex
	places int                // taken, or about to be
	inHand map[int64]struct{} // documents that a goroutine has
	freed  signal             // a place was given back
}

// dispatch works on documents until the work is to stop, and returns when all their
// goroutines have ended. jobs are those that an earlier run left at the service.
func (p *Pipeline) dispatch(l lifetimes, jobs []store.Document) error {
	d := &dispatcher{
		p: p, l: l, uploads: make(chan struct{}, p.Workers), limit: max(p.MaxPending, len(jobs)),
		inHand: make(map[int64]struct{}), freed: newSignal(),
	}
	d.documents.SetLimit(d.limit)
	for _, doc := range jobs {
		d.takePlace()
		d.start(doc, nil)
	}
	d.limit = p.MaxPending
	var g errgroup.Group
	work, stop := context.WithCancel(l.work)
	defer stop()
	for _, loop := range []func(context.Context) error{d.submitAll, d.pollParked} {
		g.Go(func() error {
			defer stop()
			return loop(work)
		})
	}
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
		if err != nil || !ok {
			d.givePlace(0)
			turn.end()
			if err != nil {
				return err
			}
			continue
		}
		d.start(doc, turn)
	}
}

// refillCount is how many documents are read from the database at once.
const refillCount = 64

// refill reads what may be submitted now.
func (d *dispatcher) refill(ctx context.Context) (err error) {
	limit := refillCount + d.working()
	d.asOf = time.Now()
	d.ready, err = read(ctx, d.p, func(ctx context.Context) ([]store.Document, error) {
		if d.p.gate.SubmissionsHeld() {
			return d.probes(ctx) // their pauses do not count
		}
		return d.p.Store.Due(ctx, store.PhaseReady, d.asOf, limit)
	})
	if err != nil {
		return fmt.Errorf("what is to be submitted: %w", err)
	}
	d.all = len(d.ready) < limit
	d.ready = slices.DeleteFunc(d.ready, func(doc store.Document) bool { return d.has(doc.ID) })
	return nil
}

// await waits until there may be something to submit: a pause has ended, or somebody
// says so.
func (d *dispatcher) await(ctx context.Context) error {
	again, err := read(ctx, d.p, func(ctx context.Context) (time.Time, error) {
		return d.p.Store.NextDue(ctx, store.PhaseReady, d.asOf)
	})
	if err != nil {
		return fmt.Errorf("when to submit again: %w", err)
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

// turn is what one submission needs before a document is chosen for it.
type turn struct {
	permit *gate.Permit
	upload func() // gives the place for an upload back
}

// end gives back what was not used: Release does nothing after Done.
func (t *turn) end() {
	t.upload()
	t.permit.Release()
}

// turn waits for a place among MaxPending, a place for an upload, and a permit. It
// returns an error only where ctx ends.
func (d *dispatcher) turn(ctx context.Context) (*turn, error) {
	d.p.loops.dispatch.idle()
	for !d.takePlace() {
		select {
		case <-d.freed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case d.uploads <- struct{}{}:
	case <-ctx.Done():
		d.givePlace(0)
		return nil, ctx.Err()
	}
	upload := sync.OnceFunc(func() { <-d.uploads })
	permit, err := d.p.gate.Acquire(ctx, gate.Submission)
	if err != nil {
		d.givePlace(0)
		upload()
		return nil, err
	}
	return &turn{permit: permit, upload: upload}, nil
}

// choose returns the document to submit: the first that is ready or, where one is to
// find out whether submissions are still refused, in turn the newest that was never
// tried and the one that was tried longest ago.
func (d *dispatcher) choose(ctx context.Context, probe bool) (doc store.Document, ok bool, err error) {
	d.p.loops.dispatch.beat()
	if probe {
		if d.ready, err = read(ctx, d.p, d.probes); err != nil {
			return doc, false, err
		}
		d.ready = slices.DeleteFunc(d.ready, func(doc store.Document) bool { return d.has(doc.ID) })
	}
	if len(d.ready) == 0 {
		return doc, false, nil
	}
	doc, d.ready = d.ready[0], d.ready[1:]
	if probe {
		d.tried = doc.Submissions > 0
		d.ready, d.all = nil, false // the others were not chosen by their pauses
	}
	return doc, true, nil
}

// probes returns the documents that may be risked as a probe, the best one first.
func (d *dispatcher) probes(ctx context.Context) ([]store.Document, error) {
	n := d.working() + 1
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

// parkedPlaces is how many parked jobs are polled at once, beside MaxPending.
const parkedPlaces = 8

// pollParked starts a goroutine for each job whose polls go on after a pause that is
// stored with it: it gave its place back, so it takes none of MaxPending.
func (d *dispatcher) pollParked(ctx context.Context) error {
	for {
		now := time.Now()
		docs, err := read(ctx, d.p, func(ctx context.Context) ([]store.Document, error) {
			return d.p.Store.Parked(ctx, now, parkedPlaces)
		})
		if err != nil {
			return fmt.Errorf("what is to be polled again: %w", err)
		}
		var polls errgroup.Group
		for _, doc := range docs {
			polls.Go(func() error { d.work(doc, nil); return nil })
		}
		_ = polls.Wait() // its functions return no errors
		if len(docs) > 0 {
			continue
		}
		again, err := read(ctx, d.p, func(ctx context.Context) (time.Time, error) {
			return d.p.Store.NextDue(ctx, store.PhasePoll, now)
		})
		if err != nil {
			return fmt.Errorf("when to poll again: %w", err)
		}
		select {
		case <-at(again):
		case <-d.p.parkedNow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// start works on a document, for which a place was taken, in a goroutine of its own.
// Where the limit is reached, it blocks for as long as the goroutine that gave the
// place back takes to end.
func (d *dispatcher) start(doc store.Document, t *turn) {
	d.mu.Lock()
	d.inHand[doc.ID] = struct{}{}
	d.mu.Unlock()
	d.documents.Go(func() error {
		defer d.givePlace(doc.ID)
		d.work(doc, t)
		return nil
	})
}

// work takes a document as far as it gets.
func (d *dispatcher) work(doc store.Document, t *turn) {
	err := d.p.identify(d.l, &doc, t)
	if t != nil {
		t.end()
	}
	d.p.classify(d.l, &doc, err)
}

// takePlace takes a place among MaxPending, where there is one.
func (d *dispatcher) takePlace() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.places >= d.limit {
		return false
	}
	d.places++
	d.p.activity.inFlight.Store(int64(d.places))
	return true
}

// givePlace gives a place back, and the document that had it; 0: none.
func (d *dispatcher) givePlace(doc int64) {
	d.mu.Lock()
	d.places--
	delete(d.inHand, doc)
	d.p.activity.inFlight.Store(int64(d.places))
	d.mu.Unlock()
	d.freed.wake()
}

func (d *dispatcher) has(doc int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, has := d.inHand[doc]
	return has
}

func (d *dispatcher) working() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.inHand)
}
