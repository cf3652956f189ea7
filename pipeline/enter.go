package pipeline

import (
	"context"
	"time"

	"docusort/pipeline/docutray"
)

// request is what asks to pass.
type request struct {
	submission bool
	ping       bool // no request of a document: it only sees whether the service answers
	doc        int64
}

// pass is the permission for one request. It ends with a call of done.
type pass struct {
	request
	probes [causes]bool // the holds that this request is the probe of
	sees   bool         // it is the first submission to see whether the service is held for it too
	keyGen int
	// refusals is how many 429s were known when it was made.
	refusals int
}

// enter returns when the request may be made, or with the context's error.
func (g *gate) enter(ctx context.Context, r request) (pass, error) {
	g.countWaiting(r, 1)
	defer g.countWaiting(r, -1)
	var place *place // in the line, once it has to queue
	for {
		p, wait, changed := g.try(r, &place, time.Now())
		if wait == 0 {
			if !g.pingFirst(ctx, p) {
				continue
			}
			return p, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-place.turn():
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			g.leave(place)
			return pass{}, context.Cause(ctx)
		}
	}
}

// longestWait bounds a wait that a change of the hold will end.
const longestWait = time.Hour

// try returns a pass, or how long to wait and a channel that says that
// something changed earlier. It keeps the place in the line.
func (g *gate) try(r request, in **place, now time.Time) (pass, time.Duration, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := pass{request: r, keyGen: g.keyGen, refusals: g.learned.refusals}
	var wait time.Duration
	for c, h := range g.holds {
		c := cause(c)
		switch {
		case h == nil, causeInfo[c].submissions && !r.submission:
		case c == limit && !now.Before(h.until):
			// The time has come; whoever shows the hold clears it.
		case c == limit:
			wait = max(wait, h.until.Sub(now))
		case c == service && g.unmet(r):
			p.sees = r.submission
		case h.open(now, c, r.doc) && !g.othersTurn(now, c, r):
			p.probes[c] = true
		case !causeInfo[c].probed || h.probing || !now.Before(h.probeAt):
			wait = max(wait, longestWait)
		default:
			wait = max(wait, h.probeAt.Sub(now))
		}
	}
	if wait == 0 {
		wait = g.turn(r, in, now)
	} else {
		g.turns.remove(*in) // the others need not wait for it
	}
	if wait == 0 {
		for c, h := range g.holds {
			if p.probes[c] {
				h.probing = true
			}
		}
		if p.sees {
			g.holds[service].seeing = true
		}
	}
	return p, wait, g.changed
}

// unmet says whether the trouble that the service is held for may not be the
// request's: it befell other jobs, and this one's was not asked for since; or it
// befell polls alone, and this is a submission. What the service does not answer
// about some jobs must not keep the others.
func (g *gate) unmet(r request) bool {
	if r.submission {
		return !g.submitsMet && !g.holds[service].seeing
	}
	return !g.met[r.doc] && len(g.met) < mostMet
}

// othersTurn says whether the probe is to be a request of the other kind, where
// one waits. A poll risks nothing and comes first; but the polls that wait may
// all be of jobs that the service cannot speak of, so kinds take turns: the same
// one for all holds, or each would wait for the other.
func (g *gate) othersTurn(now time.Time, c cause, r request) bool {
	h := g.holds[c]
	if causeInfo[c].submissions || h.only != 0 {
		return false
	}
	if r.submission {
		return g.polls > 0 && !g.polled
	}
	return g.submissions > 0 && g.polled && !g.submissionsWait(now)
}

// submissionsWait says whether something holds submissions that polls pass, so
// that it is no use to leave a probe to them.
func (g *gate) submissionsWait(now time.Time) bool {
	for c, h := range g.holds {
		if i := causeInfo[c]; h != nil && i.submissions && (!i.probed || h.probing || now.Before(h.probeAt)) {
			return true
		}
	}
	return false
}

// pingFirst asks a question that costs nothing before a document is risked as
// the probe of a service that may swallow it. It says whether to go on.
func (g *gate) pingFirst(ctx context.Context, p pass) bool {
	if !p.submission || !(p.probes[service] || p.probes[access] || p.sees) {
		return true
	}
	g.spendPing()
	e := errorOf(g.ping(ctx))
	if e == nil || e.Class != docutray.Service && e.Class != docutray.Rate && e.StatusCode != 401 {
		return true // the request itself will tell
	}
	p.request = request{ping: true} // it was no submission
	g.done(p, e)
	return false
}

// countWaiting counts those that wait to pass.
func (g *gate) countWaiting(r request, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := &g.polls
	if r.submission {
		waiting = &g.submissions
	}
	*waiting += n
	if *waiting == 0 && (g.holds[service] != nil || g.holds[access] != nil) {
		g.dirty = true // the other kind may be the probe now
		g.tell()
	}
}
