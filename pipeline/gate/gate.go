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
	kinds // their number
)

// Config says what a Gate works with.
type Config struct {
	RequestsPerMinute int                         // our own limit; 0: none
	Keys              docutray.KeySource          // asked for another key after a 401
	Ping              func(context.Context) error // a request that costs nothing and concerns no document
}

// Gate keeps requests back while they make no sense. Its methods may be called by any
// goroutine.
type Gate struct {
	ping    func(context.Context) error
	keys    docutray.KeySource
	lines   [kinds]chan struct{} // the first request of each kind; the others queue behind it
	pinging chan struct{}        // one ping at a time

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced when waiters should look again
	pace        pace
	closed      *hold // nothing but pings passes
	submissions submissions
	disks       map[string]*Hold // set by the owner of the disks
	jobs        jobs             // whose polls fail although the service answers
	access      access
}

// access is what the gate knows of our way to the service.
type access struct {
	key     int       // counts the keys that were read
	pinged  time.Time // the newest ping that succeeded
	waiting int       // requests that wait
	idle    time.Time // since when none waits
}

// New returns a Gate. It starts no goroutine.
func New(cfg Config) *Gate {
	g := &Gate{
		ping: cfg.Ping, pinging: make(chan struct{}, 1), keys: cfg.Keys, pace: newPace(cfg.RequestsPerMinute), changed: make(chan struct{}),
		disks: make(map[string]*Hold), jobs: make(jobs),
		submissions: submissions{refused: make(map[int64]bool)},
	}
	for kind := range g.lines {
		g.lines[kind] = make(chan struct{}, 1)
	}
	return g
}

// Permit is the permission for one request. It ends with [Permit.Done], or with
// [Permit.Release] where no request was made.
type Permit struct {
	// Probe says that submissions are held, and that this one finds out whether they
	// are still refused: the caller chooses whose document to risk.
	Probe bool

	gate     *Gate
	kind     Kind
	probed   *hold // that Probe is about, until the permit ends
	key      int   // the number of the key, and of refusals, when it was given
	refusals int
}

// Acquire waits until a request may be made. It fails only where ctx ends.
func (g *Gate) Acquire(ctx context.Context, kind Kind) (*Permit, error) {
	g.countWaiting(1)
	defer g.countWaiting(-1)
	select {
	case g.lines[kind] <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-g.lines[kind] }()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.leavePace(kind)
	}()
	for ctx.Err() == nil {
		permit, ping, wait, changed := g.try(kind, time.Now())
		switch {
		case permit != nil:
			return permit, nil
		case ping:
			g.answersPing(ctx, true)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil, context.Cause(ctx)
}

func (g *Gate) countWaiting(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.access.waiting += n; g.access.waiting == 0 {
		g.access.idle = time.Now()
	}
}

// longestWait bounds a wait that a change ends.
const longestWait = time.Hour

// try returns a permit, or that it is time for a ping, or how long to wait and what
// ends the wait earlier.
func (g *Gate) try(kind Kind, now time.Time) (_ *Permit, ping bool, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &Permit{gate: g, kind: kind, key: g.access.key, refusals: g.pace.limit.refusals}
	switch {
	case g.closed != nil:
		ping, wait = g.closed.next(now)
	case kind == Submission && len(g.disks) > 0:
		wait = longestWait
	case kind == Submission && g.submissions.hold != nil:
		p.Probe, wait = g.submissions.next(now)
	}
	if ping || wait > 0 {
		g.leavePace(kind)
		return nil, ping, wait, g.changed
	}
	if wait = g.pace.wait(kind, now); wait > 0 {
		return nil, false, wait, g.changed
	}
	if p.Probe {
		p.probed = g.submissions.hold
		p.probed.probing = true
	}
	return p, false, 0, nil
}

// leavePace lets a request of the other kind have the pace. The mutex is held.
func (g *Gate) leavePace(kind Kind) {
	if g.pace.waiting[kind] = false; g.pace.waiting[1-kind] {
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
	for _, h := range []*hold{g.closed, g.submissions.hold} {
		if h != nil {
			h.probeAt = now
		}
	}
	g.pace.limit.retryNow(now)
	g.notify()
}
