package gate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
)

// The pauses between probes, as SPEC has them: 1 s, then doubling, never longer than the
// trouble has lasted, at most 5 min.
var probeTimes = seconds(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812, 1112)

// Where a ping fails as well, only pings go out until one succeeds.
func TestClosedServiceGetsOnlyPings(t *testing.T) {
	type test struct {
		kind  gate.Kind
		err   func() error
		ping  error
		shown gate.HoldKind
	}
	each(t, 0, map[string]test{
		"no connection":        {gate.Submission, func() error { return noDial() }, noDial(), gate.Service},
		"no connection, poll":  {gate.Poll, func() error { return noDial() }, noDial(), gate.Service},
		"500":                  {gate.Submission, func() error { return answer(500) }, answer(503), gate.Service},
		"401":                  {gate.Submission, func() error { return answer(401) }, answer(401), gate.Account},
		"403 for a job":        {gate.Poll, func() error { return answer(403) }, answer(403), gate.Account},
		"a key not to be read": {gate.Submission, func() error { return &docutray.Error{Class: docutray.Account} }, answer(401), gate.Account},
	}, func(t *testing.T, d *door, c test) {
		d.pings(c.ping)
		d.verdict(c.kind, 1, c.err(), gate.External)
		d.held(c.shown)
		same(t, "since", d.hold().Since, d.begun)
		d.at(1300*time.Second, func() { d.pings(nil) })
		var all sync.WaitGroup
		for _, kind := range []gate.Kind{gate.Poll, gate.Submission} {
			all.Go(func() {
				when, v := d.request(kind, 2, nil)
				same(t, "let through", when, 1412*time.Second)
				same(t, "verdict", v, gate.Answered)
			})
		}
		all.Wait()
		same(t, "pings", d.pingTimes(), append(probeTimes, seconds(1412)...))
		d.held("")
	})
}

// Trouble of many at once is put to the service once.
func TestOnePingForAll(t *testing.T) {
	each(t, 0, map[string]error{"fails": noDial(), "succeeds": nil}, func(t *testing.T, d *door, ping error) {
		d.pings(ping)
		d.takes = 300 * time.Millisecond
		var all sync.WaitGroup
		for i := range 20 {
			p := d.acquire(gate.Poll)
			all.Go(func() { p.Done(d.t.Context(), int64(i), noDial()) })
		}
		all.Wait()
		same(t, "pings", d.pingTimes(), seconds(0))
		if ping == nil {
			time.Sleep(2 * time.Second)
			d.poll(1, noDial())
			same(t, "pings for later trouble", len(d.pingTimes()), 2)
		}
	})
}

// A ping that ended on our side says nothing of the service: it is made again, though
// not at once, and what it was made for is nobody's fault.
func TestPingThatEndsOnOurSide(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.pings(noDial())
		d.submit(1, noDial())
		d.pings(context.DeadlineExceeded)
		d.at(10500*time.Millisecond, func() { d.pings(nil) })
		d.passes(gate.Submission, 1, 11*time.Second)
		same(t, "pings", len(d.pingTimes()), 12)

		d.pings(context.Canceled)
		d.verdict(gate.Submission, 1, answer(500), gate.ServiceFault)
		time.Sleep(time.Minute)
		d.verdict(gate.Submission, 1, answer(500), gate.External)
		d.held("")
	})
}

// A request that was under way when the service was closed, and was answered, opens it.
func TestAnswerOpensTheService(t *testing.T) {
	for _, outcome := range []error{nil, answer(404)} {
		inBubble(t, 0, func(d *door) {
			p := d.acquire(gate.Poll)
			d.pings(noDial())
			d.submit(1, noDial())
			d.at(500*time.Millisecond, func() { p.Done(d.t.Context(), 2, outcome) })
			d.passes(gate.Submission, 1, 500*time.Millisecond)
		})
	}
}

func TestKeyThatChangedIsTriedAtOnce(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		old := d.acquire(gate.Submission)
		d.keyChanges()
		d.verdict(gate.Submission, 1, answer(401), gate.External)
		same(t, "of one with the old key", old.Done(d.t.Context(), 2, answer(401)), gate.External)
		same(t, "pings", len(d.pingTimes()), 0)
		d.held("")

		d.pings(answer(401))
		d.submit(1, answer(401))
		d.held(gate.Account)
		d.at(2500*time.Millisecond, d.keyChanges) // the ping at 4 s finds it
		d.passes(gate.Submission, 1, 4*time.Second)
		d.held("")
	})
}

// A request that was made with the key before the present one says nothing of that, and
// a key that changes opens what the old one had closed.
func TestNewKeyOpensTheService(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		p := d.acquire(gate.Poll)
		d.pings(answer(401))
		d.submit(1, answer(401))
		d.keyChanges()
		d.at(100*time.Millisecond, func() { p.Done(d.t.Context(), 2, answer(401)) })
		d.passes(gate.Submission, 1, 100*time.Millisecond)
	})
}

// Why no other key is tried is told with the hold: somebody thinks that there is one.
func TestHoldTellsThatTheKeyCannotBeReadAgain(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.keyErr = context.DeadlineExceeded
		d.pings(answer(401))
		d.poll(1, answer(401))
		if h := d.hold(); !strings.Contains(h.Reason, d.keyErr.Error()) {
			t.Errorf("hold %+v", h)
		}
	})
}

func TestDiskHoldsKeepSubmissionsOnly(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.HoldDisk("sorted", "full")
		same(t, "the same again is a change", d.changes(func() { d.HoldDisk("sorted", "full") }), false)
		time.Sleep(time.Second)
		d.HoldDisk("database", "full, too")
		same(t, "another reason is a change", d.changes(func() { d.HoldDisk("sorted", "read-only") }), true)
		for range 20 {
			same(t, "shown", d.hold(), gate.Hold{Kind: gate.Disk, Reason: "read-only", Since: d.begun})
		}
		same(t, "polls", d.times(2, gate.Poll, 1, nil), seconds(1, 1))
		d.at(3*time.Hour, func() { d.HoldDisk("sorted", "") })
		d.at(3*time.Hour+time.Minute, func() { d.HoldDisk("database", "") })
		d.passes(gate.Submission, 1, 3*time.Hour+time.Minute)
		d.held("")
	})
}

// The hold of the inbox comes after that of a disk, and keeps nobody.
func TestInboxHoldKeepsNobody(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		same(t, "a change", d.changes(func() { d.HoldInbox("missing") }), true)
		same(t, "the same again is a change", d.changes(func() { d.HoldInbox("missing") }), false)
		d.held(gate.Inbox)
		d.HoldDisk("database", "full")
		d.held(gate.Disk)
		d.HoldDisk("database", "")
		d.passes(gate.Submission, 1, 0)
		d.passes(gate.Poll, 1, 0)
		time.Sleep(time.Hour)
		same(t, "shown", d.hold(), gate.Hold{Kind: gate.Inbox, Reason: "missing", Since: d.begun})
		d.HoldInbox("")
		d.held("")
	})
}

// A hold that nobody waits for ends after a minute: nothing would find its end.
func TestIdleHoldEnds(t *testing.T) {
	each(t, 0, map[string]func(d *door){
		"closed":      func(d *door) { d.pings(noDial()); d.poll(1, noDial()) },
		"submissions": func(d *door) { d.submit(1, answer(402)) },
	}, func(t *testing.T, d *door, begin func(d *door)) {
		begin(d)
		kind := d.hold().Kind
		time.Sleep(59 * time.Second)
		d.held(kind)
		time.Sleep(time.Second)
		d.held("")
		d.pings(nil)
		d.passes(gate.Submission, 1, time.Minute)
	})
}

// While somebody waits, or waited a moment ago, or probes, a hold lasts.
func TestHoldLastsWhileSomebodyWaits(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.pings(noDial())
		d.poll(1, noDial())
		ctx, cancel := context.WithTimeout(d.t.Context(), 1000*time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := d.Acquire(ctx, gate.Poll); err == nil {
				t.Error("it passed")
			}
		})
		for range 9 {
			time.Sleep(100 * time.Second)
			d.held(gate.Service)
		}
		all.Wait()
		time.Sleep(59 * time.Second)
		d.held(gate.Service)
		time.Sleep(time.Second)
		d.held("")
	})
	inBubble(t, 0, func(d *door) {
		d.submit(1, answer(402))
		probe := d.acquire(gate.Submission)
		time.Sleep(time.Hour)
		d.held(gate.Account)
		probe.Done(d.t.Context(), 1, nil)
		d.held("")
	})
}

// What needs a person is shown first.
func TestWhichHoldIsShown(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.poll(1, tooMany(90*time.Second))
		d.held(gate.Rate)
		time.Sleep(90 * time.Second)
		under := d.acquire(gate.Submission)
		for i := range 3 {
			d.poll(int64(i), answer(500))
		}
		d.held(gate.Service)
		time.Sleep(time.Second)
		d.HoldDisk("sorted", "full")
		d.held(gate.Disk)
		time.Sleep(time.Second)
		under.Done(d.t.Context(), 1, answer(402))
		d.held(gate.Account)
	})
}
