package gate

import (
	"context"
	"errors"
	"time"

	"docusort/pipeline/docutray"
)

// Verdict is what a request's outcome means for its document.
type Verdict int

// The verdicts.
const (
	// Answered: the request succeeded.
	Answered Verdict = iota
	// DocumentFault: the service cannot take this document.
	DocumentFault
	// External: trouble of the account, of a limit, of everybody, or of our side. It is
	// as if the request had not been made; make it again when the gate lets it.
	External
	// ServiceFault: the service fails, for this document at least. Pause.
	ServiceFault
	// JobMissing: the service says that it does not know the job.
	JobMissing
)

// Done tells how the request for a document ended, and returns what that means. The
// same error may be the document's fault or not, depending on what else happened and on
// a ping, for which Done waits.
func (p *Permit) Done(ctx context.Context, doc int64, err error) Verdict {
	g, e := p.gate, errorOf(err)
	if mayBeAnybodys(p.kind, e) && (g.hasNewKey(p.key, e) || !g.answersPing(ctx)) {
		p.Release()
		return External
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if e != nil || g.closed != nil || g.submissions.hold != nil || len(g.jobs.trouble) > 0 {
		defer g.notify()
	}
	p.endProbe(e)
	return g.judge(p, doc, e, time.Now())
}

// Release ends a permit whose request was not made, or taught nothing.
func (p *Permit) Release() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if h := p.gate.submissions.hold; p.Probe && h != nil && h.probing {
		p.endProbe(&docutray.Error{})
		p.gate.notify()
	}
}

// endProbe lets another document be tried soon, unless it is decided otherwise.
func (p *Permit) endProbe(e *docutray.Error) {
	if h := p.gate.submissions.hold; p.Probe && h != nil && e != nil {
		h.probing, h.probeAt = false, time.Now().Add(min(h.pause, firstProbe))
	}
}

// mayBeAnybodys reports whether a failure does not yet tell whose it is.
func mayBeAnybodys(kind Kind, e *docutray.Error) bool {
	switch {
	case e == nil:
		return false
	case e.Class == docutray.Account: // quota and type codes concern submissions alone
		return kind == Poll || e.StatusCode == 401 || e.StatusCode == 0
	}
	return e.Class == docutray.Service
}

// judge learns from the outcome of a request. The mutex is held.
func (g *Gate) judge(p *Permit, doc int64, e *docutray.Error, now time.Time) Verdict {
	if e == nil || e.Class == docutray.Document || e.Class == docutray.Missing {
		g.closed = nil
		g.pace.limit.accepted(p.refusals, now)
	}
	switch {
	case e == nil && p.kind == Submission:
		g.submissions.succeeded()
		return Answered
	case e == nil:
		g.jobs.answered(doc)
		return Answered
	case e.Class == docutray.Rate:
		g.pace.limit.refused(p.refusals, e, now)
		return External
	case e.Class == docutray.Local:
		return External
	case p.kind == Poll:
		g.jobs.failed(doc, e, now)
		if e.Class == docutray.Missing {
			return JobMissing
		}
		return ServiceFault
	}
	return g.submissions.failed(p.Probe, doc, e, now)
}

// hasNewKey reports whether a request was refused for a key that is not the present one
// any more, or that another one has replaced by now. used is the number of the key.
func (g *Gate) hasNewKey(used int, e *docutray.Error) bool {
	if e.Class != docutray.Account || e.StatusCode != 401 && e.StatusCode != 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if used != g.access.key {
		return true
	}
	changed, err := g.keys.Refresh()
	if err != nil {
		e.Err = errors.Join(e.Err, err) // shown with the hold
	}
	if changed {
		g.access.key++
		g.closed = nil
		g.notify()
	}
	return changed
}

// pingLasts is how long a ping that succeeded speaks for the service.
const pingLasts = time.Second

// answersPing puts a failure to the service itself. Where that fails as well, it reports
// false, and the service is closed.
func (g *Gate) answersPing(ctx context.Context) bool {
	g.pinging.Lock()
	defer g.pinging.Unlock()
	g.mu.Lock()
	closed, fresh := g.closed != nil, time.Since(g.access.pinged) < pingLasts
	g.mu.Unlock()
	if !closed && !fresh {
		return g.makePing(ctx)
	}
	return !closed
}

// makePing opens or closes the service by the outcome of a ping, and reports which. That
// the service does not know this request, or refuses it for its limit, is an answer.
func (g *Gate) makePing(ctx context.Context) bool {
	g.mu.Lock()
	g.pace.spend(time.Now())
	key := g.access.key
	g.mu.Unlock()
	e := errorOf(g.ping(ctx))
	if e != nil && g.hasNewKey(key, e) {
		e = nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.notify()
	now := time.Now()
	switch {
	case e != nil && e.Class == docutray.Local:
		if g.closed != nil {
			g.closed.probing = false
		}
		return false
	case e != nil && e.Class == docutray.Rate:
		g.pace.limit.refused(g.pace.limit.refusals, e, now)
	case e != nil && (e.Class == docutray.Service || e.Class == docutray.Account):
		g.closed = g.closed.prolong(kindOf(e), e, now)
		return false
	}
	g.closed, g.access.pinged = nil, now
	return true
}

// errorOf returns what the client says of a failed request; nil for success.
func errorOf(err error) *docutray.Error {
	if e, ok := docutray.AsError(err); ok || err == nil {
		return e
	}
	return &docutray.Error{Class: docutray.Local, Err: err}
}
