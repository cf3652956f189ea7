package pipeline

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"

	"golang.org/x/time/rate"
)

// gate is passed by every request to the service. It keeps our own pace, waits
// out the service's, and holds requests while trouble lasts that is no
// document's own.
type gate struct {
	limiter *rate.Limiter // nil: no limit of ours
	keys    docutray.KeySource
	ping    func(context.Context) error
	log     *slog.Logger

	mu          sync.Mutex
	holds       [causes]*hold
	changed     chan struct{}  // closed and made anew at each change of a hold
	dirty       bool           // a hold changed since that was last done
	lifted      chan struct{}  // told when documents that wait out a pause may try again; holds one
	polls       int            // polls that wait to pass
	submissions int            // submissions that wait to pass
	polled      bool           // the last probe was a poll
	streak      int            // failures of the service in a row
	streakDoc   int64          // the one document they befell; 0: several
	met         map[int64]bool // documents that met trouble of the service since it last answered
	submitsMet  bool           // submissions did
	refused     map[int64]bool // documents refused with 400 while none was accepted
	accepted    bool           // a submission was accepted since the start
	learned     learned        // the pace that the service's limit taught
	turns       turns          // requests that wait for their turn
	through     int            // 429s that were known when the newest request was made that got through
	refusedAt   time.Time      // when the newest 429 came that begins a pause
	lastLimit   hold           // the newest hold for the limit, also when it is over
	ownPause    time.Duration  // where its time is ours, as the service named none: the shortest of a row
	keyGen      int            // counts the keys that were read
}

// Numbers of failures in a row that are no coincidence any more.
const (
	serviceStreak  = 3
	settingsStreak = 3
)

func newGate(perMinute int, keys docutray.KeySource, ping func(context.Context) error, log *slog.Logger) *gate {
	g := &gate{keys: keys, ping: ping, log: log, changed: make(chan struct{}), lifted: make(chan struct{}, 1), met: make(map[int64]bool), refused: make(map[int64]bool)}
	if perMinute > 0 {
		g.limiter = rate.NewLimiter(rate.Limit(float64(perMinute)/60), 1)
	}
	return g
}

// abandon ends a pass whose request was never made.
func (g *gate) abandon(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c, h := range g.holds {
		if p.probes[c] && h != nil {
			h.probing, g.dirty = false, true
		}
	}
	g.seen(p)
	g.tell()
}

// seen ends what a submission found out on its own.
func (g *gate) seen(p pass) {
	if h := g.holds[service]; h != nil && p.sees {
		h.seeing, g.dirty = false, true
	}
}

// done learns from the outcome of a request. It returns what the outcome meant:
// the same error may be a document's fault or not, depending on what else
// happened.
func (g *gate) done(p pass, err error) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	v := g.judge(p, errorOf(err), now)
	for c, h := range g.holds {
		if !p.probes[c] || h == nil {
			continue
		}
		h.probing, g.dirty = false, true
		g.polled = !p.submission
		if !now.Before(h.probeAt) {
			// Nothing was learned of this cause; let the next one see.
			h.probeAt = now.Add(min(h.pause, firstProbe))
		}
	}
	g.seen(p)
	g.tell()
	return v
}

// hold begins a hold, or goes on with one after its probe failed.
func (g *gate) hold(p pass, c cause, reason string, until, now time.Time) {
	h := g.holds[c]
	switch {
	case h == nil:
		g.polled = g.polled && (g.holds[access] != nil || g.holds[service] != nil)
		h = &hold{since: now, pause: firstProbe, probeAt: now.Add(firstProbe)}
		g.holds[c] = h
	case p.probes[c]:
		h.failedProbe(now)
	}
	h.reason, h.until = reason, until
	g.dirty = true
	if until.After(now) {
		// It is no use before then, unless somebody pays earlier.
		h.probeAt = earlier(until, now.Add(longestProbe))
	}
}

// holdDisk begins or ends a hold of our own disks, whose owner finds out when it
// has passed. An empty reason ends it.
func (g *gate) holdDisk(c cause, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case reason == "":
		if g.holds[c] == nil {
			return
		}
		g.lift(c)
	case g.holds[c] == nil:
		g.holds[c] = &hold{since: time.Now(), reason: reason}
	default:
		g.holds[c].reason = reason
	}
	g.dirty = true
	g.tell()
}

// lift ends a hold. The documents that met it need not wait out their pauses.
func (g *gate) lift(c cause) {
	if g.holds[c] == nil {
		return
	}
	g.holds[c], g.dirty = nil, true
	if c == service || c == settings {
		select {
		case g.lifted <- struct{}{}:
		default:
		}
	}
}

// liftIdle ends the holds that only a request could end, when there is none to
// be made. The next one will find out.
func (g *gate) liftIdle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.holds {
		if causeInfo[c].probed {
			g.lift(cause(c))
		}
	}
	g.tell()
}

// tell wakes everybody who waits, to look again at what changed.
func (g *gate) tell() {
	if g.dirty {
		close(g.changed)
		g.changed, g.dirty = make(chan struct{}), false
	}
}

// probeNow lets the next request see at once whether the trouble has passed.
func (g *gate) probeNow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c, h := range g.holds {
		if h != nil && causeInfo[c].probed {
			h.probeAt, g.dirty = time.Now(), true
		}
	}
	g.tell()
}

// shown returns the hold to show, nil where there is none, a channel that says
// that it may have changed, and when to look again without being told. Trouble
// that needs a person comes first.
func (g *gate) shown(now time.Time) (h *store.Hold, changed <-chan struct{}, again time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.holds[limit]; r != nil {
		if now.Before(r.until) {
			again = r.until
		} else {
			g.lift(limit)
		}
	}
	for c, held := range g.holds {
		if held != nil {
			return &store.Hold{Kind: causeInfo[c].kind, Reason: held.reason, Since: held.since, Until: held.until}, g.changed, again
		}
	}
	return nil, g.changed, again
}

// denied says whether the account is held for access to what is its own.
func (g *gate) denied() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.holds[access] != nil
}

// holding says whether requests of all kinds wait for trouble to pass.
func (g *gate) holding() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.holds[access] != nil || g.holds[service] != nil
}

// down says whether the service is held for trouble that several documents met.
func (g *gate) down() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.holds[service]
	return h != nil && h.only == 0
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
