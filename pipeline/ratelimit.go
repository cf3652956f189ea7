package pipeline

import (
	"time"

	"docusort/pipeline/docutray"
)

// limitReached pauses every request. Where the service names no time, ours grow
// as long as nothing gets through. The mutex is held.
func (g *gate) limitReached(p pass, e *docutray.Error, now time.Time) {
	h := g.holds[limit]
	first := p.refusals == g.learned.refusals
	if !first && e.RetryAfter <= 0 {
		g.learned.refused(p.refusals, now, g.lastLimit.until)
		return // one of several that were on their way together
	}
	if h == nil {
		h = &hold{since: now}
		if now.Sub(g.lastLimit.until) < limitGrace {
			h.since = g.lastLimit.since // unless something was let through between the two
		}
		g.holds[limit] = h
	}
	if g.row() == 0 {
		h.since = now
	}
	if first {
		g.refusedAt = now
	}
	until := now.Add(e.RetryAfter)
	if g.ownPause = 0; e.RetryAfter <= 0 {
		g.ownPause = g.learned.pause()
		until = now.Add(backoff(g.row()+1, g.ownPause, time.Minute, 0))
	}
	if until.After(h.until) {
		h.until = until
	}
	h.reason = e.Reason()
	g.learned.refused(p.refusals, now, h.until)
	g.lastLimit = *h
	g.dirty = true
}

// row is the number of refusals since a request got through.
func (g *gate) row() int { return g.learned.refusals - g.through }

// passedLimit takes note that the service took a request. One that was made after
// a refusal ends the row of refusals that it stands in, also where it is answered
// only after the next one: that begins a row of its own then.
func (g *gate) passedLimit(p pass, now time.Time) {
	if p.refusals <= g.through {
		return
	}
	g.through = p.refusals
	h := g.holds[limit]
	if h == nil || !now.Before(h.until) {
		return
	}
	h.since = g.refusedAt
	if g.ownPause > 0 {
		h.until = earlier(h.until, h.since.Add(g.ownPause))
		g.learned.learn(&g.learned.last, h.until)
	}
	g.lastLimit, g.dirty = *h, true
}
