package pipeline

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// While the pace is what everybody waits for, ours or the learned one, polls and
// submissions take turns, however many of the others wait.
func TestNeitherKindStarves(t *testing.T) {
	for name, c := range map[string]struct {
		perMinute        int
		limit            limiter
		pollers, workers int
	}{
		"our own limit, many polls":         {60, &fixedWindow{n: 1e6, window: time.Minute}, 100, 1},
		"our own limit, many submissions":   {60, &fixedWindow{n: 1e6, window: time.Minute}, 1, 100},
		"a learned pace, many polls":        {0, &fixedWindow{n: 60, window: time.Minute}, 60, 1},
		"a learned pace, many submissions":  {0, &fixedWindow{n: 60, window: time.Minute}, 1, 60},
		"a learned pace, a bucket":          {0, &bucket{perSecond: 1, burst: 20}, 40, 4},
		"a learned pace, under our own one": {30, &fixedWindow{n: 10, window: time.Minute}, 8, 4},
	} {
		t.Run(name, func(t *testing.T) {
			atDoor(t, c.perMinute, func(d *door) {
				s := &limited{limit: c.limit}
				defer d.saturate(s, c.pollers, c.workers)()
				time.Sleep(2 * time.Minute) // a first burst may be all of one kind
				p0, q0, _ := s.seen()
				time.Sleep(30 * time.Minute)
				p, q, _ := s.seen()
				polls, submissions := p-p0, q-q0
				if share := float64(polls) / float64(polls+submissions); share < 0.4 || share > 0.6 {
					t.Errorf("%d polls, %d submissions", polls, submissions)
				}
			})
		})
	}
}

// Where one kind alone waits it gets all there is, and the other, when it comes,
// is next.
func TestWhoComesAloneIsNext(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		var submitted atomic.Int32
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				d.done(d.pass(sub(1)), nil)
				submitted.Add(1)
			})
		}
		time.Sleep(9500 * time.Millisecond)
		same(t, "submissions in 10 s", submitted.Load(), 10)
		when, _ := d.ask(ask(2), nil)
		same(t, "a poll that came at 9.5 s", when, 10*time.Second)
		all.Wait()
		same(t, "all are through", d.now(), 30*time.Second)
	})
}

// Who waits for the pace sleeps until it is its turn.
func TestWaitersDoNotWakeForTheTurnsOfOthers(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() { d.done(d.pass(request{submission: i%2 == 0, doc: int64(i)}), nil) })
		}
		all.Wait()
		same(t, "the last one", d.now(), 299*time.Second)
		if n := d.turns.looks; n > 4*300 {
			t.Errorf("%d looks at the pace for 300 requests", n)
		}
	})
}

// One that gives up does not keep those behind it waiting.
func TestWaiterThatGivesUpLeavesTheLine(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		d.ask(ask(1), nil)
		ctx, cancel := context.WithTimeout(d.t.Context(), 300*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := d.enter(ctx, ask(2)); err == nil {
					t.Error("it passed")
				}
			})
		}
		synctest.Wait()
		when, _ := d.ask(ask(3), nil)
		same(t, "the one behind them", when, time.Second)
		all.Wait()
		same(t, "places left", len(d.turns.queues[0])+len(d.turns.queues[1]), 0)
	})
}
