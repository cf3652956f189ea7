package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// door is a gate with a clock that begins at 0.
type door struct {
	*gate
	t      *testing.T
	begun  time.Time
	pings  atomic.Int32
	pinged list[time.Duration]
	down   atomic.Bool // pings fail
	keys   rotation
}

// list is filled by several goroutines.
type list[T any] struct {
	mu    sync.Mutex
	items []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, v)
}

func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}

// rotation is a key source whose key is changed by a test.
type rotation struct{ fresh, gone atomic.Bool }

func (r *rotation) Key() (docutray.Key, error) { return "k", nil }
func (r *rotation) Refresh() (bool, error) {
	if r.gone.Load() {
		return false, errors.New("the file is away")
	}
	return r.fresh.Swap(false), nil
}

func atDoor(t *testing.T, perMinute int, test func(d *door)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &door{t: t, begun: time.Now()}
		d.gate = newGate(perMinute, &d.keys, func(context.Context) error {
			d.pings.Add(1)
			d.pinged.add(d.now())
			if d.down.Load() {
				return errDial
			}
			return nil
		}, nil)
		test(d)
	})
}

func (d *door) now() time.Duration { return time.Since(d.begun) }

func (d *door) pass(r request) pass {
	d.t.Helper()
	p, err := d.enter(d.t.Context(), r)
	must(d.t, err)
	return p
}

// ask makes one request with that outcome, and returns when it was let through.
func (d *door) ask(r request, outcome error) (time.Duration, verdict) {
	d.t.Helper()
	p := d.pass(r)
	when := d.now()
	return when, d.done(p, outcome)
}

// times makes requests one after the other and returns when each got through.
func (d *door) times(n int, r request, outcome error) (when []time.Duration) {
	d.t.Helper()
	for range n {
		w, _ := d.ask(r, outcome)
		when = append(when, w)
	}
	return when
}

func (d *door) kind() store.HoldKind {
	if h, _, _ := d.shown(time.Now()); h != nil {
		return h.Kind
	}
	return ""
}

func sub(doc int64) request { return request{submission: true, doc: doc} }
func ask(doc int64) request { return request{doc: doc} }

// answered is the error of an answer with that status.
func answered(status int) *docutray.Error {
	e := &docutray.Error{StatusCode: status, Sent: true, Message: "told"}
	switch {
	case status == 401, status == 402, status == 403:
		e.Class = docutray.Account
	case status == 404:
		e.Class = docutray.Missing
	case status == 429:
		e.Class = docutray.Rate
	case status >= 500, status == 408:
		e.Class = docutray.Service
	default:
		e.Class = docutray.Document
	}
	return e
}

var (
	errDial = &docutray.Error{Class: docutray.Service, Err: errors.New("connection refused")}
	errLost = &docutray.Error{Class: docutray.Service, Err: errors.New("connection reset"), Sent: true, OutcomeUnknown: true}
)

func seconds(s ...float64) (d []time.Duration) {
	for _, s := range s {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}
