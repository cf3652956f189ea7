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

func TestDueOrder(t *testing.T) {
	s := openNew(t)
	now := time.Now().Truncate(time.Millisecond)
	pause := func(until time.Duration) int64 {
		name := fmt.Sprint("paused", until)
		id := submitted(t, s, found(name, name))
		check1(t, s.Refused(ctx, id, Refusal{Reason: "503", RetryAt: now.Add(until)}))
		return id
	}
	notYet := pause(time.Millisecond)
	short, long := pause(0), pause(-time.Hour)
	first, second := admit(t, s, found("a", "a")).ID, admit(t, s, found("b", "b")).ID
	for _, c := range []struct {
		limit int
		want  []int64
	}{
		{9, []int64{first, second, long, short}},
		{3, []int64{first, second, long}},
		{2, []int64{first, second}},
		{1, []int64{first}},
		{0, nil},
	} {
		if got := ids(must[[]Document](t)(s.Due(ctx, PhaseReady, now, c.limit))); !slices.Equal(got, c.want) {
			t.Errorf("limit %d: %d, want %d", c.limit, got, c.want)
		}
	}
	next := must[time.Time](t)(s.NextDue(ctx, PhaseReady, now))
	if !next.Equal(now.Add(time.Millisecond)) {
		t.Errorf("next retry %v, want that of %d", next, notYet)
	}
	same(t, "no next retry", must[time.Time](t)(s.NextDue(ctx, PhaseReady, now.Add(time.Hour))).IsZero(), true)
}

// A pause that is ended is over at once.
func TestEndPauses(t *testing.T) {
	s := openNew(t)
	refused := startAs(t, s, "refused")
	same(t, "pauses ended", must[int64](t)(s.EndPauses(ctx, false)), 1)
	same(t, "submittable", due(t, s, PhaseReady), []int64{refused})
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

func TestPendingOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		b := admit(t, s, found("b", "b")).ID
		time.Sleep(time.Second)
		a := pending(t, s, found("a", "a"))
		time.Sleep(time.Second)
		submit(t, s, b)
		check1(t, s.Accepted(ctx, b, "late"))
		if got := ids(must[[]Document](t)(s.Pending(ctx))); !slices.Equal(got, []int64{a, b}) {
			t.Errorf("pending: %d, want %d", got, []int64{a, b})
		}
	})
}

func TestParked(t *testing.T) {
	s := openNew(t)
	now := time.Now().Truncate(time.Millisecond)
	pending(t, s, found("polled as usual", "0"))
	var parked []int64
	for i, pause := range []time.Duration{0, -time.Hour, time.Millisecond} {
		id := pending(t, s, found(fmt.Sprint("parked", i), fmt.Sprint("parked", i)))
		check1(t, s.PollLater(ctx, id, "500", now.Add(pause), 1))
		parked = append(parked, id)
	}
	if got := ids(must[[]Document](t)(s.Parked(ctx, now, 9))); !slices.Equal(got, []int64{parked[1], parked[0]}) {
		t.Errorf("parked: %d", got)
	}
	same(t, "pending", len(ids(must[[]Document](t)(s.Pending(ctx)))), 4)
}

func TestStuckAndFinished(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	for _, start := range starts {
		s := openNew(t)
		start.make(t, s)
		if n := must[int](t)(s.Stuck(ctx, now.Add(time.Minute))); n != map[string]int{
			"blocked": 1, "refused": 1, "given up": 1, "pending, parked": 1}[start.name] {
			t.Errorf("%s: %d stuck", start.name, n)
		}
	}
	parked := pending(t, s, found("x", "x"))
	ask(t, s, admit(t, s, found("y", "x")).ID, request)
	same(t, "stuck, one of which waits for the other", must[int](t)(s.Stuck(ctx, now)), 0)
	check1(t, s.PollLater(ctx, parked, "500", inAnHour, 1))
	same(t, "stuck", must[int](t)(s.Stuck(ctx, now)), 2)
	moving := identified(t, s, found("m", "m"), invoice)
	check1(t, s.SetMoveError(ctx, moving, "read-only", now))
	same(t, "stuck", must[int](t)(s.Stuck(ctx, now)), 3)
	move(t, s, moving)
	if got := must[map[State]int](t)(s.Finished(ctx, now.Add(-time.Minute))); len(got) != 1 || got[Filed] != 1 {
		t.Errorf("finished: %v", got)
	}
	same(t, "finished later", len(must[map[State]int](t)(s.Finished(ctx, now.Add(time.Minute)))), 0)
}

func TestUntriedAndTried(t *testing.T) { synctest.Test(t, testUntriedAndTried) }

func testUntriedAndTried(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	refused := func(name string, pause time.Duration) int64 {
		id := submitted(t, s, found(name, name))
		r := Refusal{Reason: "503"}
		if pause > 0 {
			r.RetryAt = now.Add(pause)
		}
		check1(t, s.Refused(ctx, id, r))
		return id
	}
	a, b := refused("a", time.Hour), refused("b", 0)
	limited := submitted(t, s, found("c", "c"))
	check1(t, s.Refused(ctx, limited, Refusal{Uncounted: true}))
	ended := pending(t, s, found("d", "d"))
	must[Document](t)(s.JobEnded(ctx, ended, JobEnd{RetryAt: inAnHour, MaxAttempts: 9}))
	e, f := admit(t, s, found("e", "e")).ID, admit(t, s, found("f", "f")).ID
	equal := admit(t, s, found("copy of a", "a")).ID
	time.Sleep(time.Second)
	submit(t, s, a)
	check1(t, s.Refused(ctx, a, Refusal{Uncounted: true})) // once more, later than b
	untried, tried := must[[]Document](t)(s.Untried(ctx, 9)), must[[]Document](t)(s.Tried(ctx, 9))
	if got := ids(untried); !slices.Equal(got, []int64{equal, f, e}) {
		t.Errorf("untried: %d", got)
	}
	if got := ids(tried); !slices.Equal(got, []int64{b, limited, ended, a}) {
		t.Errorf("tried: %d", got)
	}
	same(t, "untried", len(must[[]Document](t)(s.Untried(ctx, 1))), 1)
}
