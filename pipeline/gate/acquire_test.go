package gate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/gate"
)

// RetryNow ends every pause.
func TestRetryNow(t *testing.T) {
	each(t, 0, map[string]func(d *door){
		"closed":      func(d *door) { d.pings(noDial()); d.poll(1, noDial()) },
		"submissions": func(d *door) { d.times(10, gate.Submission, 1, answer(402)) },
	}, func(t *testing.T, d *door, begin func(d *door)) {
		begin(d)
		d.pings(nil)
		begun := d.now()
		d.at(begun+500*time.Millisecond, d.RetryNow)
		d.passes(gate.Submission, 1, begun+500*time.Millisecond)
	})
}

// A context that ends leaves no place in a line, whatever the line is for.
func TestAcquireEndsWithItsContext(t *testing.T) {
	each(t, 1, map[string]func(d *door){
		"closed":      func(d *door) { d.pings(noDial()); d.takes = 5 * time.Second; d.submit(1, noDial()) },
		"submissions": func(d *door) { d.submit(1, answer(402)); d.acquire(gate.Submission) },
		"disk":        func(d *door) { d.HoldDisk("sorted", "full") },
		"our limit":   func(d *door) { d.times(2, gate.Submission, 1, nil) },
		"their limit": func(d *door) { d.poll(1, tooMany(time.Minute)) },
	}, func(t *testing.T, d *door, begin func(d *door)) {
		begin(d)
		begun := d.now()
		ctx, cancel := context.WithTimeoutCause(d.t.Context(), 100*time.Millisecond, context.Canceled)
		defer cancel()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, err := d.Acquire(ctx, gate.Submission); err != context.Canceled {
					t.Error(err)
				}
			})
		}
		all.Wait()
		same(t, "after", d.now()-begun, 100*time.Millisecond)
		d.pings(nil)
		d.HoldDisk("sorted", "")
		d.RetryNow()
		if when, _ := d.poll(1, nil); when-begun > 3*time.Minute {
			t.Errorf("a poll waited for %s", when-begun)
		}
	})
}

// One that queues behind another may end before that.
func TestAcquireEndsBehindAnother(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.HoldDisk("sorted", "full")
		d.at(time.Hour, func() { d.HoldDisk("sorted", "") })
		var first sync.WaitGroup
		first.Go(func() { d.submit(1, nil) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(d.t.Context(), time.Second)
		defer cancel()
		if _, err := d.Acquire(ctx, gate.Submission); err == nil {
			t.Error("it passed")
		}
		same(t, "ended", d.now(), time.Second)
		first.Wait()
	})
}
