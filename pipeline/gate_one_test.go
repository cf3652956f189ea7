package pipeline

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// One document that the service always chokes on costs the others nothing.
func TestPoisonousDocumentDelaysNoOther(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		for range 10 {
			d.ask(sub(1), answered(500))
			when := d.now()
			for i := range 3 {
				w, _ := d.ask(sub(int64(i+2)), nil)
				same(t, "another document", w, when)
				w, _ = d.ask(ask(int64(i+2)), nil)
				same(t, "another poll", w, when)
			}
			same(t, "hold", d.kind(), "")
		}
	})
}

// Where it is alone the hold is shown, and another document need not wait.
func TestLoneDocumentInTroubleIsAHoldForItselfOnly(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.times(3, sub(1), answered(500))
		same(t, "hold", d.kind(), store.HoldService)
		same(t, "the document itself waits", d.times(1, sub(1), answered(500))[0], time.Second)
		when, _ := d.ask(sub(2), nil)
		same(t, "another does not", when, time.Second)
		same(t, "hold", d.kind(), "")
	})
	atDoor(t, 0, func(d *door) { // the others find that it is the service
		d.times(3, sub(1), answered(500))
		d.ask(sub(2), answered(500))
		when, _ := d.ask(sub(3), nil)
		if when < time.Second {
			t.Errorf("third document at %s", when)
		}
	})
}

// A poll that waits for its own trouble to pass does not keep a new document
// from seeing for itself.
func TestLonePollInTroubleDoesNotKeepSubmissionsBack(t *testing.T) {
	for _, err := range []error{answered(500), answered(403)} {
		atDoor(t, 0, func(d *door) {
			d.times(3, ask(1), err)
			ctx, cancel := context.WithCancel(d.t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for ctx.Err() == nil {
					if p, e := d.enter(ctx, ask(1)); e == nil {
						d.done(p, err)
					}
				}
			}()
			synctest.Wait()
			begun := d.now()
			// The hold ends with this, until the poll has failed often enough again.
			when, v := d.ask(sub(2), nil)
			same(t, "waited", when-begun, 0)
			same(t, "submission", v, succeeded)
			cancel()
			<-ended
		})
	}
}

// Polls that keep failing do not keep a submission from being a probe, however
// many of them wait.
func TestPollsInTroubleTakeTurnsWithSubmissions(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		ctx, cancel := context.WithCancel(d.t.Context())
		var asking sync.WaitGroup
		for doc := range int64(2) {
			asking.Go(func() {
				for ctx.Err() == nil {
					if p, err := d.enter(ctx, ask(doc+1)); err == nil {
						d.done(p, answered(500))
					}
				}
			})
		}
		synctest.Wait()
		same(t, "hold", d.kind(), store.HoldService)
		when, v := d.ask(sub(3), nil)
		same(t, "submission", v, succeeded)
		if when > 2*time.Second {
			t.Errorf("the submission was let through after %s", when)
		}
		cancel()
		asking.Wait()
	})
}

func TestAccountTroubleOfSeveralJobsHoldsAll(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		one, two := d.pass(ask(1)), d.pass(ask(2))
		d.done(one, answered(403))
		d.done(two, answered(403))
		when, _ := d.ask(ask(3), nil)
		same(t, "a third", when, time.Second)
	})
}

func TestRefusedDocumentFailsAndRefusedSettingsHold(t *testing.T) {
	t.Run("a document among others", func(t *testing.T) {
		atDoor(t, 0, func(d *door) {
			d.ask(sub(1), nil)
			for i := range 10 {
				_, v := d.ask(sub(int64(i)), answered(400))
				same(t, "verdict", v, atFault)
			}
			same(t, "hold", d.kind(), "")
		})
	})
	t.Run("a lone document", func(t *testing.T) {
		atDoor(t, 0, func(d *door) {
			_, v := d.ask(sub(1), answered(400))
			same(t, "the first time", v, troubled)
			_, v = d.ask(sub(1), answered(400))
			same(t, "the second time", v, atFault)
			same(t, "hold", d.kind(), "")
		})
	})
	t.Run("settings", func(t *testing.T) {
		atDoor(t, 0, func(d *door) {
			for i := range 3 {
				same(t, "hold", d.kind(), "")
				_, v := d.ask(sub(int64(i)), answered(400))
				same(t, "verdict", v, troubled)
			}
			same(t, "hold", d.kind(), store.HoldAccount)
			when, v := d.ask(sub(1), answered(400))
			same(t, "probe", when, time.Second)
			same(t, "verdict", v, troubled)
			when, _ = d.ask(ask(5), nil)
			same(t, "polls go on", when, time.Second)
			same(t, "hold", d.kind(), store.HoldAccount)
			d.ask(sub(2), nil)
			same(t, "hold", d.kind(), "")
			_, v = d.ask(sub(1), answered(400))
			same(t, "verdict once one was accepted", v, atFault)
		})
	})
}

func TestOtherVerdicts(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		for _, c := range []struct {
			r    request
			err  error
			want verdict
		}{
			{sub(1), answered(413), atFault},
			{sub(1), answered(415), atFault},
			{ask(1), answered(404), lost},
			{sub(1), &docutray.Error{Class: docutray.Local}, notAtFault},
			{sub(1), context.Canceled, notAtFault},
		} {
			_, v := d.ask(c.r, c.err)
			same(t, c.err.Error(), v, c.want)
			same(t, "hold", d.kind(), "")
		}
	})
}

func TestOurOwnLimit(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		var got []time.Duration
		for i := range 5 {
			when, _ := d.ask(request{submission: i%2 == 0}, nil)
			got = append(got, when)
		}
		if want := seconds(0, 1, 2, 3, 4); !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
	})
}

// What waits for its turn within our own limit meets a hold that began since.
func TestOurOwnLimitMindsHoldsThatBeginMeanwhile(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		p := d.pass(ask(1))
		var through list[time.Duration]
		for range 3 {
			go func() {
				p := d.pass(ask(2))
				through.add(d.now())
				d.done(p, nil)
			}()
		}
		time.Sleep(500 * time.Millisecond)
		e := answered(429)
		e.RetryAfter = 30 * time.Second
		d.done(p, e)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := through.all(), seconds(30.5, 31.5, 32.5); !slices.Equal(got, want) {
			t.Errorf("requests at %v, want %v", got, want)
		}
	})
}

func TestPingsCountTowardsOurOwnLimit(t *testing.T) {
	atDoor(t, 60, func(d *door) {
		d.ask(sub(1), errDial)
		when, _ := d.ask(sub(1), nil)
		same(t, "document", when, time.Second)
		when, _ = d.ask(sub(2), nil)
		same(t, "the next, after a ping and a document", when, 3*time.Second)
	})
}

func TestEnterEndsWithItsContext(t *testing.T) {
	atDoor(t, 1, func(d *door) {
		d.ask(sub(1), errDial)
		ctx, cancel := context.WithTimeout(d.t.Context(), 100*time.Millisecond)
		defer cancel()
		for _, r := range []request{sub(1), ask(1)} {
			if _, err := d.enter(ctx, r); err == nil {
				t.Error("no error")
			}
		}
		same(t, "after", d.now(), 100*time.Millisecond)
		same(t, "polls that wait", d.polls, 0)
	})
}

func TestProbeNow(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.times(10, sub(1), answered(401))
		begun := d.now()
		go func() {
			time.Sleep(time.Second)
			d.probeNow()
		}()
		when, _ := d.ask(sub(1), nil)
		same(t, "waited", when-begun, time.Second)
	})
}

// A probe whose request was never made leaves the place to another one.
func TestAbandonedProbe(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.ask(sub(1), answered(402))
		p := d.pass(sub(1))
		d.abandon(p)
		when, _ := d.ask(sub(2), nil)
		same(t, "next", when, time.Second)
	})
}

func TestDiskHoldIsEndedByItsOwner(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.holdDisk(sorted, "full")
		d.holdDisk(database, "full, too")
		same(t, "polls", d.times(1, ask(1), nil)[0], 0)
		go func() {
			time.Sleep(time.Hour + time.Minute)
			d.holdDisk(sorted, "")
			time.Sleep(time.Minute)
			d.holdDisk(database, "")
		}()
		when, _ := d.ask(sub(1), nil)
		same(t, "submission", when, 62*time.Minute)
		same(t, "hold", d.kind(), "")
	})
}

// Trouble that begins while another hold lasts is found and told as well.
func TestTwoHolds(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		d.ask(sub(1), answered(402))
		d.times(3, ask(2), answered(500))
		same(t, "shown", d.kind(), store.HoldAccount)
		d.ask(sub(1), nil)
		same(t, "both lifted by an accepted document", d.kind(), "")
	})
}
