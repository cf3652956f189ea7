package pipeline

import (
	"context"
	"sync"

	"docusort/pipeline/gate"
	"docusort/store"
)

// turn is what a submission needs before a document is chosen for it: a place among
// MaxPending, a place for an upload, and a permit of the gate.
type turn struct {
	permit *gate.Permit // nil once it is used up
	upload func()       // gives the place for an upload back
}

// turn waits for a turn. It fails only where ctx ends.
func (d *dispatcher) turn(ctx context.Context) (*turn, error) {
	d.p.loops.dispatch.idle()
	if err := d.working.waitForPlace(ctx); err != nil {
		return nil, err
	}
	select {
	case d.uploads <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t := &turn{upload: sync.OnceFunc(func() { <-d.uploads })}
	var err error
	if t.permit, err = d.p.gate.Acquire(ctx, gate.Submission); err != nil {
		t.upload()
		return nil, err
	}
	return t, nil
}

// done ends the permit with the outcome of the request. The place for the upload is
// given back first, because the verdict may take a ping.
func (t *turn) done(ctx context.Context, doc int64, err error) gate.Verdict {
	t.upload()
	permit := t.permit
	t.permit = nil
	return permit.Done(ctx, doc, err)
}

// end gives back what was not used.
func (t *turn) end() {
	if t == nil {
		return
	}
	t.upload()
	if t.permit != nil {
		t.permit.Release()
	}
}

// working are the documents that have a goroutine. At most limit of them have a place
// among MaxPending, more where an earlier run left more jobs. One goroutine takes the
// places, so that one that it waited for is there until it takes it.
type working struct {
	limit int
	freed signal // a place was given back

	mu     sync.Mutex
	placed int
	docs   map[int64]bool // whether it has a place
}

func newWorking(limit int) *working {
	return &working{limit: limit, freed: newSignal(), docs: make(map[int64]bool)}
}

func (w *working) waitForPlace(ctx context.Context) error {
	for !w.hasPlace() {
		select {
		case <-w.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (w *working) hasPlace() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.placed < w.limit
}

func (w *working) add(id int64, placed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.docs[id] = placed
	if placed {
		w.placed++
	}
}

func (w *working) remove(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.docs[id] {
		w.placed--
		w.freed.wake()
	}
	delete(w.docs, id)
}

func (w *working) has(doc store.Document) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, has := w.docs[doc.ID]
	return has
}

func (w *working) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.docs)
}
