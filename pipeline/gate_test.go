package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/store"
)

// The pauses between probes, as SPEC has them: 1 s, then doubling, never longer
// than the trouble has lasted, at most 5 min.
var probeTimes = seconds(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812, 1112)

func TestProbesDoubleUpToFiveMinutes(t *testing.T) {
	for name, c := range map[string]struct {
		r       request
		err     error
		kind    store.HoldKind
		verdict verdict
	}{
		"401":         {sub(1), answered(401), store.HoldAccount, notAtFault},
		"401 on poll": {ask(1), answered(401), store.HoldAccount, notAtFault},
		"402":         {sub(1), answered(402), store.HoldAccount, notAtFault},
		"403 on POST": {sub(1), answered(403), store.HoldAccount, notAtFault},
		"403 on GET":  {ask(1), answered(403), store.HoldAccount, notAtFault},
		"no dial":     {sub(1), errDial, store.HoldService, troubled},
	} {
		t.Run(name, func(t *testing.T) {
			atDoor(t, 0, func(d *door) {
				var got []time.Duration
				for range probeTimes {
					when, v := d.ask(c.r, c.err)
					got = append(got, when)
					same(t, "verdict", v, c.verdict)
					same(t, "hold", d.kind(), c.kind)
				}
				if !slices.Equal(got, probeTimes) {
					t.Errorf("probes at %v, want %v", got, probeTimes)
				}
				when, v := d.ask(c.r, nil)
				same(t, "success at", when, 1412*time.Second)
				same(t, "verdict", v, succeeded)
				same(t, "hold", d.kind(), "")
				same(t, "the next", d.times(2, c.r, nil)[1], when)
			})
		})
	}
}

func TestQuotaIsWaitedForUntilItsResetAtMostFiveMinutesAtATime(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		e := answered(402)
		e.ResetAt = d.begun.Add(12 * time.Minute)
		got := d.times(5, sub(1), e)
		if want := seconds(0, 300, 600, 720, 728); !slices.Equal(got, want) {
			t.Errorf("probes at %v, want %v", got, want)
		}
		h, _, _ := d.shown(time.Now())
		same(t, "shown until", h.Until, e.ResetAt)
		when, _ := d.ask(ask(2), nil)
		same(t, "a job is asked for", when, 728*time.Second)
		same(t, "hold", d.kind(), store.HoldAccount)
	})
}

func TestKeyThatChangedIsTriedAtOnce(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		old := d.pass(sub(2)) // made with the old key, too
		d.keys.fresh.Store(true)
		_, v := d.ask(sub(1), answered(401))
		same(t, "verdict", v, notAtFault)
		same(t, "of the other", d.done(old, answered(401)), notAtFault)
		same(t, "hold", d.kind(), "")
		d.ask(sub(1), answered(401))
		same(t, "hold with a new key that is bad as well", d.kind(), store.HoldAccount)
		d.keys.fresh.Store(true)
		when, _ := d.ask(sub(1), answered(401)) // the probe finds another key
		same(t, "probe", when, time.Second)
		same(t, "hold", d.kind(), "")
	})
}

func TestRateLimitPausesEveryRequest(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		e := answered(429)
		e.RetryAfter = 12 * time.Second
		_, v := d.ask(ask(1), e)
		same(t, "verdict", v, notAtFault)
		same(t, "hold", d.kind(), store.HoldRate)
		when, _ := d.ask(sub(2), nil)
		same(t, "submission", when, 12*time.Second)
		same(t, "hold", d.kind(), "")
	})
}

func TestRateLimitWithoutATimeGrows(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		got := d.times(8, sub(1), answered(429))
		if want := seconds(0, 1, 3, 7, 15, 31, 63, 123); !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
		d.ask(sub(1), nil)
		begun := d.now()
		d.ask(sub(1), answered(429))
		when, _ := d.ask(sub(1), nil)
		same(t, "after a success, the pause", when-begun, time.Second)
	})
}

// Requests that were under way together meet one limit, not several.
func TestRateLimitOfManyAtOnceCountsOnce(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		var under []pass
		for i := range 8 {
			under = append(under, d.pass(ask(int64(i))))
		}
		for _, p := range under {
			d.done(p, answered(429))
		}
		when, _ := d.ask(ask(1), nil)
		same(t, "next request", when, time.Second)
	})
}

func TestStreakOfFailuresHoldsTheService(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		for i := range 2 {
			_, v := d.ask(sub(int64(i)), answered(500))
			same(t, "verdict", v, troubled)
			same(t, "hold", d.kind(), "")
		}
		d.ask(sub(3), nil)
		d.times(2, sub(1), errLost)
		same(t, "hold: the row was broken", d.kind(), "")
		d.ask(sub(2), answered(503))
		same(t, "hold", d.kind(), store.HoldService)
		when, _ := d.ask(sub(4), nil)
		same(t, "next", when, time.Second)
		same(t, "pings before the document", d.pings.Load(), 1)
		same(t, "hold", d.kind(), "")
	})
}

// A service that does not even answer a ping gets no document.
func TestPingGoesBeforeADocument(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.ask(sub(1), errDial)
		d.down.Store(true)
		go func() {
			time.Sleep(100 * time.Second)
			d.down.Store(false)
		}()
		when, _ := d.ask(sub(1), nil)
		same(t, "document let through", when, 128*time.Second)
		if got, want := d.pinged.all(), probeTimes[1:9]; !slices.Equal(got, want) {
			t.Errorf("pings at %v, want %v", got, want)
		}
	})
}

func TestOnlyOneProbeAtATime(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.ask(sub(1), errDial)
		var through list[string]
		pass := func(name string, r request) {
			p, err := d.enter(d.t.Context(), r)
			must(t, err)
			through.add(fmt.Sprint(name, d.now()))
			time.Sleep(10 * time.Second)
			d.done(p, nil)
		}
		for _, n := range []string{"a", "b", "c"} {
			go pass(n, sub(2))
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		same(t, "through as a probe", len(through.all()), 1)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		same(t, "through when the probe succeeded", len(through.all()), 3)
		for _, s := range through.all()[1:] {
			same(t, "at", s[1:], "11s")
		}
	})
}

func TestPollsAreProbesBeforeSubmissions(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.ask(sub(1), errDial)
		d.ask(ask(3), errDial)
		var through list[string]
		enter := func(name string, r request, hold time.Duration) {
			p, err := d.enter(d.t.Context(), r)
			must(t, err)
			through.add(name)
			time.Sleep(hold)
			d.done(p, nil)
		}
		go enter("submission", sub(2), 0)
		synctest.Wait()
		go enter("poll", ask(3), time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()
		sameList(t, "order", through.all(), "poll", "submission")
		same(t, "pings", d.pings.Load(), 0)
	})
}

// Why no other key is tried is told with the hold: somebody thinks that there is one.
func TestHoldTellsThatTheKeyCannotBeReadAgain(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.keys.gone.Store(true)
		d.ask(ask(1), answered(401))
		if h, _, _ := d.shown(time.Now()); h == nil || !strings.Contains(h.Reason, "the file is away") {
			t.Errorf("hold %+v", h)
		}
	})
}
