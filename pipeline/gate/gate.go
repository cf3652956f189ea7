package gate

import (
	"context"
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
	busy    time.Time     // when a request last stopped waiting, or ended
	pinged  time.Time     // when a ping last succeeded
	key     int           // counts the keys that were read

	own, limit limit   // ours, whose rate never changes, and the service's
	waiting    [2]bool // the first request of each kind waits for these
	last       Kind    // that passed

	closed      *Trouble // nothing but pings passes
	submissions submissions
	disks       map[string]Hold    // set by the owner of the disks
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
		submissions: submissions{refused: make(map[int64]bool)},
		disks:       make(map[string]Hold),
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
	g.leavePace(kind)
	g.busy = time.Now()
	<-g.lines[kind]
}

// longestWait bounds a wait that a change ends.
const longestWait = time.Hour

// try returns a permit, or else how long to wait and what ends the wait earlier; 0: it
// is time for a ping.
func (g *Gate) try(kind Kind, now time.Time) (_ *Permit, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &Permit{gate: g, kind: kind, key: g.key, refusals: g.limit.refusals}
	switch {
	case g.closed != nil:
		wait = g.closed.wait(now)
	case kind == Submission && len(g.disks) > 0:
		wait = longestWait
	case kind == Submission && g.submissions.hold != nil:
		p.Probe, p.probed = true, g.submissions.hold
		wait = g.submissions.wait(now)
	}
	if g.closed != nil || wait > 0 {
		g.leavePace(kind)
		return nil, wait, g.changed
	}
	if wait = g.pace(kind, now); wait > 0 {
		return nil, wait, g.changed
	}
	if p.Probe {
		p.probed.probing = true
	}
	return p, 0, nil
}

// pace returns how long a request waits for the limits; 0: it passes, and is counted.
// The first request of each kind waits here, and while both do they take turns: answers
// to what is paid for come through, and uploads follow. The mutex is held.
func (g *Gate) pace(kind Kind, now time.Time) time.Duration {
	wait := max(g.limit.Until.Sub(now), g.limit.next.Sub(now), g.own.next.Sub(now), 0)
	if g.own.rate+g.limit.rate > 0 && g.waiting[1-kind] && g.last == kind {
		wait = longestWait // the other one wakes this one when it has passed
	}
	if g.waiting[kind] = wait > 0; wait == 0 {
		g.last = kind
		g.own.passed(now)
		g.limit.passed(now)
	}
	return wait
}

// leavePace lets a request of the other kind have the pace. The mutex is held.
func (g *Gate) leavePace(kind Kind) {
	if g.waiting[kind] = false; g.waiting[1-kind] {
		g.notify()
	}
}

// notify wakes everybody who waits. The mutex is held.
func (g *Gate) notify() {
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
	l := &g.limit
	l.Until, l.next, l.refusals = now, now, l.refusals+2 // what is under way teaches nothing more
	g.notify()
}
