package gate_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/gate"
)

func TestOurOwnLimit(t *testing.T) {
	inBubble(t, 60, func(d *door) {
		for i := range 5 {
			d.passes(gate.Kind(i%2), 1, time.Duration(i)*time.Second)
		}
		time.Sleep(time.Hour)
		begun := d.now()
		same(t, "no burst after a rest", d.times(2, gate.Poll, 1, nil)[1]-begun, time.Second)
	})
}

// What waits for its turn within our own limit meets a hold that began since.
func TestOurOwnLimitMindsHoldsThatBeginMeanwhile(t *testing.T) {
	inBubble(t, 60, func(d *door) {
		p := d.acquire(gate.Poll)
		d.at(500*time.Millisecond, func() { p.Done(d.t.Context(), 1, tooMany(30*time.Second)) })
		d.passes(gate.Poll, 2, 30500*time.Millisecond)
	})
}

func TestPingsCountTowardsOurOwnLimit(t *testing.T) {
	inBubble(t, 60, func(d *door) {
		d.submit(1, answer(500)) // and a ping
		same(t, "the next", d.times(2, gate.Submission, 1, nil), seconds(2, 3))
	})
}

// While the pace is what everybody waits for, ours or the learned one, polls and
// submissions take turns, however many of the others wait.
func TestNeitherKindStarves(t *testing.T) {
	for name, c := range map[string]struct {
		perMinute        int
		limit            limiter
		pollers, workers int
	}{
		"our own limit, many polls":         {60, &window{n: 1e6, span: time.Minute}, 100, 1},
		"our own limit, many submissions":   {60, &window{n: 1e6, span: time.Minute}, 1, 100},
		"a learned pace, many polls":        {0, &window{n: 60, span: time.Minute}, 60, 1},
		"a learned pace, many submissions":  {0, &window{n: 60, span: time.Minute}, 1, 60},
		"a learned pace, a bucket":          {0, &bucket{perSecond: 1, burst: 20}, 40, 4},
		"a learned pace, under our own one": {30, &window{n: 10, span: time.Minute}, 8, 4},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, c.perMinute, func(d *door) {
				s := &service{limit: c.limit}
				defer d.saturate(s, c.pollers, c.workers)()
				time.Sleep(2 * time.Minute) // a first burst may be all of one kind
				p0, q0, _ := s.counts()
				time.Sleep(30 * time.Minute)
				p, q, _ := s.counts()
				if share := float64(p-p0) / float64(p-p0+q-q0); share < 0.4 || share > 0.6 {
					t.Errorf("%d polls, %d submissions", p-p0, q-q0)
				}
			})
		})
	}
}

// Where one kind alone waits it gets all there is, and the other, when it comes, is next.
func TestWhoComesAloneIsNext(t *testing.T) {
	inBubble(t, 60, func(d *door) {
		var submitted atomic.Int32
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() { d.submit(1, nil); submitted.Add(1) })
		}
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		same(t, "submissions in 10 s", submitted.Load(), int32(10))
		d.passes(gate.Poll, 2, 10*time.Second)
		all.Wait()
		same(t, "all are through", d.now(), 30*time.Second)
	})
}

// A request that waited for the pace and is held, or gives up, keeps no turn there.
func TestTurnOfARequestThatDoesNotCome(t *testing.T) {
	for name, stop := range map[string]func(d *door, cancel func()){
		"a disk is full": func(d *door, _ func()) { d.HoldDisk("sorted", "full") },
		"it gives up":    func(_ *door, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 60, func(d *door) {
				ctx, cancel := context.WithCancel(d.t.Context())
				var all sync.WaitGroup
				d.poll(1, nil)
				all.Go(func() {
					if p, err := d.Acquire(ctx, gate.Submission); err == nil {
						p.Release()
					}
				})
				synctest.Wait()
				d.at(500*time.Millisecond, func() { stop(d, cancel) })
				same(t, "polls", d.times(3, gate.Poll, 1, nil), seconds(1, 2, 3))
				cancel()
				all.Wait()
			})
		})
	}
}
