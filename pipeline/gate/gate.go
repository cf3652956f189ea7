package gate

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"docusort/pipeline/docutray"
)

// Kind says what a request is for.
type Kind int

// The kinds of requests.
const (
	Poll Kind = iota
	Submission
)

// Gate keeps requests back while they make no sense. Its methods may be called by any
// goroutine.
type Gate struct {
	keys    docutray.KeySource
	ping    func(context.Context) error
	lines   [2]chan struct{} // the first request of each kind; the others queue behind it
	pinging chan struct{}    // a ping is under way

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when waiters should look again
	shown   bool          // Hold returned a hold
	busy    time.Time     // when a request last stopped waiting, or ended
	pinged  time.Time     // when a ping last succeeded
	key     int           // counts the keys that were read

	own, limit limit // ours, whose rate never changes, and the service's
	last       Kind  // that passed

	closed      *Trouble // nothing but pings passes
	submissions submissions
	ours        map[string]Hold    // of our disks and the inbox, set by their owner
	jobs        map[int64]*Trouble // those whose polls fail although the service answers, by document
}

// New returns a Gate with a limit of our own, 0: none. It asks keys for another key after
// a 401. A ping is a request that costs nothing and concerns no document.
func New(requestsPerMinute int, keys docutray.KeySource, ping func(context.Context) error) *Gate {
	return &Gate{
		keys:        keys,
		ping:        ping,
		lines:       [...]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)},
		pinging:     make(chan struct{}, 1),
		changed:     make(chan struct{}),
		own:         limit{rate: float64(requestsPerMinute) / 60},
		submissions: submissions{failed: make(map[int64]docutray.Class)},
		ours:        make(map[string]Hold),
		jobs:        make(map[int64]*Trouble),
	}
}

// Permit is the permission for one request. It ends with [Permit.Done], or with
// [Permit.Release] where no request was made.
type Permit struct {
	// Probe says that submissions are held, and that this one finds out whether they
	// are still refused: the caller chooses whose document to risk.
	Probe bool

	gate     *Gate
	kind     Kind
	probed   *Trouble // that Probe is about, until the permit ends
	key      int      // the number of the key, and of refusals, when it was given
	refusals int
}

// Acquire waits until a request may be made. It fails only where ctx ends.
func (g *Gate) Acquire(ctx context.Context, kind Kind) (*Permit, error) {
	select {
	case g.lines[kind] <- struct{}{}:
		defer g.leaveLine(kind)
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		permit, wait, changed := g.try(kind, time.Now())
		switch {
		case permit != nil:
			return permit, nil
		case wait == 0:
			g.answersPing(ctx)
			continue
		}
		select {
		case <-time.After(wait):
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil, context.Cause(ctx)
}

func (g *Gate) leaveLine(kind Kind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = time.Now()
	<-g.lines[kind]
	g.notify()
}

// longestWait bounds a wait that a change ends.
const longestWait = time.Hour

// try returns a permit, or else how long to wait and what ends the wait earlier; 0: it
// is time for a ping.
func (g *Gate) try(kind Kind, now time.Time) (_ *Permit, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait = g.held(kind, now); wait > 0 || g.closed != nil {
		return nil, wait, g.changed
	}
	wait = max(g.limit.Until.Sub(now), g.limit.next.Sub(now), g.own.next.Sub(now))
	if g.own.rate+g.limit.rate > 0 && g.last == kind && len(g.lines[1-kind]) > 0 && g.held(1-kind, now) == 0 {
		wait = longestWait // the kinds take turns, so that answers come through, and uploads follow
	}
	if wait > 0 {
		return nil, wait, g.changed
	}
	g.last = kind
	g.spend(now)
	p := &Permit{gate: g, kind: kind, key: g.key, refusals: g.limit.refusals}
	if kind == Submission && g.submissions.hold != nil {
		p.Probe, p.probed = true, g.submissions.hold
		p.probed.probing = true
	}
	return p, 0, nil
}

// held returns how long a hold keeps a request. The mutex is held.
func (g *Gate) held(kind Kind, now time.Time) time.Duration {
	switch {
	case g.closed != nil:
		return g.closed.wait(now)
	case kind == Submission && slices.ContainsFunc(slices.Collect(maps.Values(g.ours)), func(h Hold) bool { return h.Kind == Disk }):
		return longestWait
	case kind == Submission && g.submissions.hold != nil:
		return g.submissions.wait(now)
	}
	return 0
}

// spend counts a request. A ping does not wait: the next request does.
func (g *Gate) spend(now time.Time) {
	g.own.passed(now)
	g.limit.passed(now)
}

// notify wakes everybody who waits, unless nobody does and there is no hold to show. The
// mutex is held.
func (g *Gate) notify() {
	waiting := len(g.lines[Poll])+len(g.lines[Submission]) > 0
	if !waiting && !g.shown && len(g.holds(time.Now())) == 0 {
		return
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// RetryNow ends every pause: the next request finds out whether it was over.
func (g *Gate) RetryNow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, t := range g.probed() {
		t.probeAt = now
	}
	g.submissions.unnamed = false
	l := &g.limit
	l.Until, l.next, l.refusals = now, now, l.refusals+2 // what is under way teaches nothing more
	g.notify()
}
