package gate

import (
	"context"
	"errors"
	"net/http"
	"time"

	"docusort/pipeline/docutray"
)

// Verdict is what a request's outcome means for its document.
type Verdict int

// The verdicts.
const (
	Answered      Verdict = iota // the request succeeded
	DocumentFault                // the service cannot take this document
	External                     // as if the request had not been made: make it again when the gate lets it
	ServiceFault                 // the service fails, for this document at least: pause
)

// Done tells how the request for a document ended, and returns what that means, which
// may depend on what else happened and on a ping, for which Done waits.
func (p *Permit) Done(ctx context.Context, doc int64, err error) Verdict {
	g, e := p.gate, docutray.AsError(err)
	// Quota and type codes concern submissions alone.
	anybodys := e != nil && (e.Class == docutray.Service ||
		e.Class == docutray.Account && (p.kind == Poll || isAboutKey(e)))
	external := anybodys && (g.hasNewKey(p.key, e) || !g.answersPing(ctx))
	p.Release()
	if external {
		return External
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.notify()
	now := time.Now()
	if e == nil || e.Class == docutray.Document || e.Class == docutray.Missing {
		g.closed = nil
		g.limit.accepted(p.refusals, now)
	}
	switch s := &g.submissions; {
	case e == nil && p.kind == Submission:
		s.succeed()
		return Answered
	case e == nil:
		delete(g.jobs, doc)
		for _, t := range g.jobs {
			t.OthersAnswered = true
		}
		return Answered
	case e.Class == docutray.Rate:
		g.limit.refuse(p.refusals, e, now)
		return External
	case e.Class == docutray.Local:
		return External
	case p.kind == Submission:
		return s.fail(p.Probe, doc, e, now)
	}
	g.jobs[doc] = g.jobs[doc].prolong(e, now)
	return ServiceFault
}

// Release ends a permit whose request was not made, or taught nothing: another document
// is tried soon. It does nothing after Done.
func (p *Permit) Release() {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = time.Now()
	p.probed.probeAgain(g.busy)
	p.probed = nil
	g.notify()
}

// isAboutKey reports whether a key was refused, or could not be read.
func isAboutKey(e *docutray.Error) bool {
	return e.Class == docutray.Account && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == 0)
}

// hasNewKey reports whether a request was refused for a key that is not the present one
// any more, or that another one has replaced by now. used is the number of the key.
func (g *Gate) hasNewKey(used int, e *docutray.Error) bool {
	if !isAboutKey(e) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if used != g.key {
		return true
	}
	changed, err := g.keys.Refresh()
	if err != nil {
		e.Err = errors.Join(e.Err, err) // shown with the hold
	}
	if changed {
		g.key++
		g.closed = nil
		g.notify()
	}
	return changed
}

// answersPing puts a failure to the service itself, or probes whether it is still closed.
// A ping opens or closes it, and one that succeeded speaks for it for a second. That the
// service does not know this request, or refuses it for its limit, is an answer.
func (g *Gate) answersPing(ctx context.Context) bool {
	select {
	case g.pinging <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-g.pinging }()
	g.mu.Lock()
	now, closed, key := time.Now(), g.closed, g.key
	if closed == nil && now.Sub(g.pinged) < time.Second || closed != nil && closed.wait(now) > 0 {
		g.mu.Unlock()
		return closed == nil
	}
	g.spend(now)
	g.mu.Unlock()
	e := docutray.AsError(g.ping(ctx))
	if e == nil || g.hasNewKey(key, e) {
		e = &docutray.Error{} // of no class
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.notify()
	now = time.Now()
	switch e.Class {
	case docutray.Local:
		g.closed.probeAgain(now)
		return false
	case docutray.Service, docutray.Account:
		g.closed = g.closed.prolong(e, now)
		return false
	case docutray.Rate:
		g.limit.refuse(g.limit.refusals, e, now)
	}
	g.closed, g.pinged = nil, now
	return true
}
