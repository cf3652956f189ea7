package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a gate in a bubble whose clock begins at 0, with a ping and keys that a test
// changes.
type door struct {
	*gate.Gate
	t     *testing.T
	begun time.Time

	mu     sync.Mutex
	ping   error         // the answer to pings
	takes  time.Duration // how long a ping takes
	pinged []time.Duration
	newKey bool  // another key can be read
	keyErr error // why none can
}

// inBubble runs a test with a gate that has our own limit; 0: none. Every goroutine has
// to end with the test.
func inBubble(t *testing.T, perMinute int, test func(d *door)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &door{t: t, begun: time.Now()}
		d.Gate = gate.New(perMinute, d, d.answerPing)
		test(d)
	})
}

// each runs a test in a bubble for each case.
func each[C any](t *testing.T, perMinute int, cases map[string]C, test func(t *testing.T, d *door, c C)) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, perMinute, func(d *door) { test(d.t, d, c) })
		})
	}
}

func (d *door) answerPing(ctx context.Context) error {
	d.mu.Lock()
	d.pinged = append(d.pinged, d.now())
	takes, err := d.takes, d.ping
	d.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

// pings sets the answer to pings.
func (d *door) pings(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ping = err
}

func (d *door) pingTimes() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pinged
}

// Key and Refresh make the door a key source.
func (d *door) Key() (docutray.Key, error) { return "k", nil }

func (d *door) Refresh() (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := d.newKey
	d.newKey = false
	return changed, d.keyErr
}

func (d *door) keyChanges() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newKey = true
}

func (d *door) now() time.Duration { return time.Since(d.begun) }

// at runs f at a time, beside the test.
func (d *door) at(when time.Duration, f func()) {
	time.AfterFunc(when-d.now(), f)
}

func (d *door) acquire(kind gate.Kind) *gate.Permit {
	d.t.Helper()
	permit, err := d.Acquire(d.t.Context(), kind)
	if err != nil {
		d.t.Fatal(err)
	}
	return permit
}

// request makes one request with that outcome, and returns when it was let through.
func (d *door) request(kind gate.Kind, doc int64, outcome error) (time.Duration, gate.Verdict) {
	d.t.Helper()
	permit := d.acquire(kind)
	when := d.now()
	return when, permit.Done(d.t.Context(), doc, outcome)
}

func (d *door) submit(doc int64, outcome error) (time.Duration, gate.Verdict) {
	d.t.Helper()
	return d.request(gate.Submission, doc, outcome)
}

func (d *door) poll(doc int64, outcome error) (time.Duration, gate.Verdict) {
	d.t.Helper()
	return d.request(gate.Poll, doc, outcome)
}

// verdict makes a request and checks what its outcome means.
func (d *door) verdict(kind gate.Kind, doc int64, outcome error, want gate.Verdict) {
	d.t.Helper()
	_, got := d.request(kind, doc, outcome)
	same(d.t, "verdict", got, want)
}

// passes makes a request that succeeds, and checks when it is let through.
func (d *door) passes(kind gate.Kind, doc int64, want time.Duration) {
	d.t.Helper()
	got, _ := d.request(kind, doc, nil)
	same(d.t, "let through", got, want)
}

// times makes n requests one after the other and returns when each was let through.
func (d *door) times(n int, kind gate.Kind, doc int64, outcome error) (when []time.Duration) {
	d.t.Helper()
	for range n {
		w, _ := d.request(kind, doc, outcome)
		when = append(when, w)
	}
	return when
}

func (d *door) hold() gate.Hold {
	h, _ := d.Hold(time.Now())
	if h == nil {
		return gate.Hold{}
	}
	return *h
}

// changes reports whether f changes what is shown.
func (d *door) changes(f func()) bool {
	_, changed := d.Hold(time.Now())
	f()
	select {
	case <-changed:
		return true
	default:
		return false
	}
}

func (d *door) held(want gate.HoldKind) {
	d.t.Helper()
	same(d.t, "hold", d.hold().Kind, want)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func seconds(all ...float64) (d []time.Duration) {
	for _, s := range all {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

// answer is the error of an answer with that status.
func answer(status int) *docutray.Error {
	e := &docutray.Error{StatusCode: status, Sent: true, Message: "told"}
	switch {
	case status == 401, status == 402, status == 403:
		e.Class = docutray.Account
	case status == 404:
		e.Class = docutray.Missing
	case status == 429:
		e.Class = docutray.Rate
	case status >= 500:
		e.Class = docutray.Service
	default:
		e.Class = docutray.Document
	}
	return e
}

// tooMany is a 429 that names a time; 0: none.
func tooMany(retryAfter time.Duration) *docutray.Error {
	e := answer(429)
	e.RetryAfter = retryAfter
	return e
}

func noDial() *docutray.Error {
	return &docutray.Error{Class: docutray.Service, Err: errors.New("connection refused")}
}
