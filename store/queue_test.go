package store

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func ids(docs []Document) []int64 {
	var all []int64
	for _, d := range docs {
		all = append(all, d.ID)
	}
	return all
}

// Each question of the queue selects its own documents, in its own order.
func TestQueueOrder(t *testing.T) { synctest.Test(t, testQueueOrder) }

func testQueueOrder(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	later := now.Add(time.Hour)
	refused := func(name string, r Refusal) int64 {
		id := submitted(t, s, found(name, name))
		check1(t, s.Refused(ctx, id, r))
		return id
	}
	paused := refused("paused", Refusal{Reason: "503", RetryAt: later})
	tried := refused("tried", Refusal{Reason: "503"})
	longAgo := refused("long ago", Refusal{RetryAt: now.Add(-time.Hour)})
	limited := refused("limited", Refusal{Uncounted: true})
	ended := pending(t, s, found("ended", "ended"))
	must[Document](t)(s.JobEnded(ctx, ended, JobEnd{RetryAt: later.Add(1), MaxAttempts: 9}))
	first, second := admit(t, s, found("first", "first")).ID, admit(t, s, found("second", "second")).ID
	equal := admit(t, s, found("copy of tried", "tried")).ID
	postponed := admit(t, s, found("postponed", "postponed")).ID
	check1(t, s.Postponed(ctx, postponed, "locked", later.Add(2)))
	polled := admit(t, s, found("polled", "polled")).ID
	parked := make(map[time.Duration]int64)
	for _, pause := range []time.Duration{0, -time.Hour, time.Millisecond} {
		name := fmt.Sprint("parked ", pause)
		parked[pause] = pending(t, s, found(name, name))
		check1(t, s.PollLater(ctx, parked[pause], "500", now.Add(pause), 1))
	}
	time.Sleep(time.Second)
	submit(t, s, paused) // once more, later than the others
	check1(t, s.Refused(ctx, paused, Refusal{Reason: "503", RetryAt: later}))
	submit(t, s, polled)
	check1(t, s.Accepted(ctx, polled, "job"))

	asks := map[string]func(limit int) ([]Document, error){
		"due":     func(limit int) ([]Document, error) { return s.Due(ctx, PhaseReady, now, limit) },
		"untried": func(limit int) ([]Document, error) { return s.Untried(ctx, limit) },
		"tried":   func(limit int) ([]Document, error) { return s.Tried(ctx, limit) },
		"parked":  func(limit int) ([]Document, error) { return s.Parked(ctx, now, limit) },
	}
	for name, want := range map[string][]int64{
		"due":     {limited, first, second, equal, longAgo, tried},
		"untried": {equal, second, first},
		"tried":   {tried, longAgo, limited, ended, paused},
		"parked":  {parked[-time.Hour], parked[0]},
	} {
		for limit := range len(want) + 2 {
			got := ids(must[[]Document](t)(asks[name](limit)))
			if n := min(limit, len(want)); !slices.Equal(got, want[:n]) {
				t.Errorf("%s, at most %d: %d, want %d", name, limit, got, want[:n])
			}
		}
	}
	same(t, "pending", ids(must[[]Document](t)(s.Pending(ctx))), []int64{parked[0], parked[-time.Hour], parked[time.Millisecond], polled})
	next := func(after time.Time) time.Time { return must[time.Time](t)(s.NextDue(ctx, PhaseReady, after)) }
	if !next(now).Equal(later) || !next(later.Add(time.Hour)).IsZero() {
		t.Errorf("the next pause ends at %v, and later at %v", next(now), next(later.Add(time.Hour)))
	}
	same(t, "pauses of refused documents ended", must[int64](t)(s.EndPauses(ctx, false)), 1)
	same(t, "submittable", len(due(t, s, PhaseReady)), 7)
}

func TestWaitingGoesOnAfter(t *testing.T) {
	s := openNew(t)
	var waiting []int64
	for i := range 4 {
		identified(t, s, found(fmt.Sprint("m", i), fmt.Sprint("m", i)), invoice)
		waiting = append(waiting, admit(t, s, found(fmt.Sprint("w", i), fmt.Sprint("w", i))).ID)
		paused := submitted(t, s, found(fmt.Sprint("r", i), fmt.Sprint("r", i)))
		check1(t, s.Refused(ctx, paused, Refusal{RetryAt: inAnHour.Add(-time.Duration(i))}))
		blocked := admit(t, s, Admission{Inbox: inbox, Source: fmt.Sprint("b", i), Blocked: "permission denied"}).ID
		waiting = append(waiting, paused, blocked)
	}
	var got []int64
	for after := int64(0); ; after = got[len(got)-1] {
		page := ids(must[[]Document](t)(s.Waiting(ctx, after, 2)))
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	same(t, "waiting", got, waiting)
}

func TestStuckAndFinished(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	for _, start := range starts {
		s := openNew(t)
		start.make(t, s)
		if n := must[int](t)(s.Left(ctx, now.Add(time.Minute))); n != map[string]int{
			"blocked": 1, "refused": 1, "given up": 1, "pending, parked": 1}[start.name] {
			t.Errorf("%s: %d stuck", start.name, n)
		}
	}
	parked := pending(t, s, found("x", "x"))
	ask(t, s, admit(t, s, found("y", "x")).ID, request)
	same(t, "stuck, one of which waits for the other", must[int](t)(s.Left(ctx, now)), 0)
	check1(t, s.PollLater(ctx, parked, "500", inAnHour, 1))
	same(t, "stuck", must[int](t)(s.Left(ctx, now)), 2)
	moving := identified(t, s, found("m", "m"), invoice)
	check1(t, s.SetMoveError(ctx, moving, "read-only", now))
	same(t, "stuck", must[int](t)(s.Left(ctx, now)), 3)
	move(t, s, moving)
	if got := must[map[State]int](t)(s.Finished(ctx, now.Add(-time.Minute))); len(got) != 1 || got[Filed] != 1 {
		t.Errorf("finished: %v", got)
	}
	same(t, "finished later", len(must[map[State]int](t)(s.Finished(ctx, now.Add(time.Minute)))), 0)
}
