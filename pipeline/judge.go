package pipeline

import (
	"time"

	"docusort/pipeline/docutray"
)

// verdict is what a request's outcome means for its document.
type verdict int

const (
	succeeded  verdict = iota
	atFault            // the document's own fault
	notAtFault         // trouble of the account, of a limit, or of our side: as if never asked
	troubled           // trouble of the service, which may be the document's own: pause
	lost               // the service does not know the job
)

// judge changes the holds by the outcome e of a request; nil is success. The
// mutex is held.
func (g *gate) judge(p pass, e *docutray.Error, now time.Time) verdict {
	if e == nil {
		g.lift(access)
		g.serviceAnswered()
		g.passedLimit(p, now)
		if p.submission {
			g.accepted = true
			clear(g.refused)
			g.lift(quota)
			g.lift(settings)
		}
		return succeeded
	}
	switch e.Class {
	case docutray.Account:
		g.serviceAnswered()
		return g.accountTrouble(p, e, now)
	case docutray.Rate:
		g.serviceAnswered()
		g.limitReached(p, e, now)
		return notAtFault
	case docutray.Service:
		g.serviceTrouble(p, e, now)
		return troubled
	case docutray.Local:
		return notAtFault
	}
	g.lift(access)
	g.serviceAnswered()
	g.passedLimit(p, now)
	switch {
	case e.Class == docutray.Missing:
		return lost
	case p.submission && e.StatusCode == 400:
		return g.refusedDocument(p, e, now)
	}
	return atFault
}

// accountTrouble handles 401, 402 and 403. Another key makes the request worth
// repeating at once.
func (g *gate) accountTrouble(p pass, e *docutray.Error, now time.Time) verdict {
	if e.StatusCode == 401 || e.StatusCode == 0 {
		if p.keyGen != g.keyGen {
			return notAtFault
		}
		changed, err := g.keys.Refresh()
		if err == nil && changed {
			g.keyGen++
			g.lift(access)
			return notAtFault
		}
		reason := e.Reason()
		if err != nil {
			reason += "; and no other key can be had: " + err.Error()
		}
		g.hold(p, access, reason, time.Time{}, now)
		g.holds[access].only = 0
		return notAtFault
	}
	if !p.submission && e.StatusCode == 403 {
		first := g.holds[access] == nil
		g.hold(p, access, e.Reason(), time.Time{}, now)
		if h := g.holds[access]; first {
			h.only = p.doc
		} else if h.only != p.doc {
			h.only = 0
		}
		return notAtFault
	}
	if e.StatusCode == 402 || p.submission {
		g.lift(access)
		g.hold(p, quota, e.Reason(), e.ResetAt, now)
	}
	return notAtFault
}

// serviceTrouble counts failures in a row, whoever they befall. Where not even a
// connection was made it needs no counting.
func (g *gate) serviceTrouble(p pass, e *docutray.Error, now time.Time) {
	g.streak++
	if len(g.met) < mostMet {
		g.met[p.doc] = true
	}
	g.submitsMet = g.submitsMet || p.submission || p.ping
	switch {
	case e.StatusCode == 0 && !e.Sent && p.submission:
		g.streak, g.streakDoc = max(g.streak, serviceStreak), 0
	case g.streak == 1:
		g.streakDoc = p.doc
	case g.streakDoc != p.doc:
		g.streakDoc = 0
	}
	if g.streak < serviceStreak && g.holds[service] == nil {
		return
	}
	g.hold(p, service, e.Reason(), time.Time{}, now)
	g.holds[service].only = g.streakDoc
}

// mostMet bounds what is remembered of an outage. There are fewer jobs in flight.
const mostMet = 1 << 16

func (g *gate) serviceAnswered() {
	g.streak, g.streakDoc = 0, 0
	clear(g.met)
	g.submitsMet = false
	g.lift(service)
}

// refusedDocument tells a document that the service cannot take from settings
// that it refuses with every document. Once it accepted anything the settings
// are good. Until then a document is refused twice before it is at fault, so
// that others show whether they are refused as well.
func (g *gate) refusedDocument(p pass, e *docutray.Error, now time.Time) verdict {
	if g.accepted {
		return atFault
	}
	again := g.refused[p.doc]
	if len(g.refused) < settingsStreak {
		g.refused[p.doc] = true
	}
	if len(g.refused) < settingsStreak {
		if again {
			return atFault
		}
		return troubled
	}
	reason := "the service refuses every document; check DOCUSORT_DOCUMENT_TYPES and DOCUSORT_METADATA: " + e.Reason()
	g.hold(p, settings, reason, time.Time{}, now)
	return troubled // the next probe is another document, which may be accepted
}

// errorOf returns what the client says of a failed request; nil for success.
func errorOf(err error) *docutray.Error {
	if e, ok := docutray.AsError(err); ok || err == nil {
		return e
	}
	return &docutray.Error{Class: docutray.Local, Err: err}
}
