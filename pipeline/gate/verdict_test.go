package gate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
)

// Every class of error, for each kind of request, and with each answer to a ping. One
// that shows that it knows nothing of this request, or that it comes too often, was
// answered.
func TestVerdicts(t *testing.T) {
	local := &docutray.Error{Class: docutray.Local}
	for _, c := range []struct {
		name           string
		err            error
		submit, poll   gate.Verdict // where a ping succeeds
		asks, asksPoll bool         // whether there is a ping
	}{
		{"success", nil, gate.Answered, gate.Answered, false, false},
		{"document", answer(422), gate.DocumentFault, 0, false, false},
		{"key", answer(401), gate.External, gate.ServiceFault, true, true},
		{"quota", answer(402), gate.External, gate.ServiceFault, false, true},
		{"permission", answer(403), gate.External, gate.ServiceFault, false, true},
		{"missing", answer(404), 0, gate.ServiceFault, false, false},
		{"rate", answer(429), gate.External, gate.External, false, false},
		{"service", answer(502), gate.ServiceFault, gate.ServiceFault, true, true},
		{"network", noDial(), gate.ServiceFault, gate.ServiceFault, true, true},
		{"local", local, gate.External, gate.External, false, false},
		{"context", context.Canceled, gate.External, gate.External, false, false},
		{"wrapped", fmt.Errorf("x: %w", answer(502)), gate.ServiceFault, gate.ServiceFault, true, true},
	} {
		for _, kind := range []gate.Kind{gate.Submission, gate.Poll} {
			want, asks := c.submit, c.asks
			if kind == gate.Poll {
				want, asks = c.poll, c.asksPoll
			}
			if want == 0 && c.err != nil {
				continue // it does not occur
			}
			pings := map[string]error{"succeeds": nil, "404": answer(404), "429": answer(429), "400": answer(400), "fails": noDial()}
			each(t, 0, pings, func(t *testing.T, d *door, ping error) {
				d.Recall(true, false)
				d.pings(ping)
				_, v := d.request(kind, 1, c.err)
				what := fmt.Sprintf("%s, kind %d: ", c.name, kind)
				if asks && ping == pings["fails"] {
					same(t, what+"verdict", v, gate.External)
					d.held(gate.Service)
				} else {
					same(t, what+"verdict", v, want)
				}
				same(t, what+"pings", len(d.pingTimes()) == 1, asks)
			})
		}
	}
}

// A job's own trouble is told, keeps no other request, and ends with an answer.
func TestTroubleOfAJob(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.poll(1, answer(500))
		time.Sleep(5 * time.Second)
		d.poll(1, answer(403))
		got := d.Trouble(1)
		same(t, "trouble", got.Hold, gate.Hold{Kind: gate.Account, Reason: answer(403).Reason(), Since: d.begun})
		same(t, "pause", got.Pause, 2*time.Second)
		same(t, "others were answered", got.OthersAnswered, false)
		d.poll(2, nil)
		same(t, "others were answered", d.Trouble(1).OthersAnswered, true)
		same(t, "of the other", d.Trouble(2).Kind, gate.HoldKind(""))
		d.poll(1, nil)
		same(t, "after its own", d.Trouble(1).Kind, gate.HoldKind(""))
		d.poll(1, answer(404))
		same(t, "missing", d.Trouble(1).Pause, time.Second)
		d.Forget(1)
		same(t, "forgotten", d.Trouble(1).Kind, gate.HoldKind(""))
		same(t, "took", d.now(), 5*time.Second)
	})
}

// Three jobs at once, or one for a minute, are shown until a poll is answered. That
// keeps nobody.
func TestTroubleOfJobsIsShown(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.poll(1, answer(500))
		time.Sleep(time.Second)
		d.poll(2, answer(500))
		d.held("")
		d.poll(3, answer(500))
		d.held(gate.Service)
		same(t, "since", d.hold().Since, d.begun)
		same(t, "submissions and polls", append(d.times(2, gate.Submission, 4, nil), d.times(1, gate.Poll, 3, answer(500))...), seconds(1, 1, 1))
		d.held(gate.Service)
		d.poll(9, nil)
		d.held("")
		d.poll(4, answer(500))
		time.Sleep(59 * time.Second)
		d.held("")
		time.Sleep(time.Second)
		d.held(gate.Service)
		d.Forget(4)
		d.held("")
	})
}

// Who shows holds learns of each change, and is left alone while there is none.
func TestHoldTellsOfChanges(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		answered := func() { d.poll(1, nil) }
		d.held("")
		same(t, "an answer is a change", d.changes(answered), false)
		same(t, "a 429 is a change", d.changes(func() { d.poll(1, tooMany(time.Minute)) }), true)
		d.held(gate.Rate)
		same(t, "another try is a change", d.changes(d.RetryNow), true)
		d.held("")
		same(t, "a full disk is a change", d.changes(func() { d.HoldDisk("sorted", "full") }), true)
		d.held(gate.Disk)
		same(t, "room is a change", d.changes(func() { d.HoldDisk("sorted", "") }), true)
		d.held("")
		d.poll(1, answer(500))
		d.poll(2, answer(500))
		same(t, "the third job in trouble is a change", d.changes(func() { d.poll(3, answer(500)) }), true)
		d.held(gate.Service)
		same(t, "an answer then is a change", d.changes(answered), true)
		d.held("")
	})
}
