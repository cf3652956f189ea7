package store

import (
	"fmt"
	"reflect"
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

func TestSubmittableOrder(t *testing.T) {
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
	admit(t, s, found("follower", "a"))
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
		if got := must[[]int64](t)(s.Submittable(ctx, now, c.limit)); !slices.Equal(got, c.want) {
			t.Errorf("limit %d: %d, want %d", c.limit, got, c.want)
		}
	}
	next := must[time.Time](t)(s.NextRetry(ctx, now))
	if !next.Equal(now.Add(time.Millisecond)) {
		t.Errorf("next retry %v, want that of %d", next, notYet)
	}
	if next := must[time.Time](t)(s.NextRetry(ctx, now.Add(time.Hour))); !next.IsZero() {
		t.Errorf("next retry %v where there is none", next)
	}
}

// Only a document whose content is known from nothing else, and that was never
// submitted, has no job to take over.
func TestQueuedUnheard(t *testing.T) {
	s := openNew(t)
	refused := submitted(t, s, found("refused", "refused"))
	check1(t, s.Refused(ctx, refused, Refusal{Reason: "503"}))
	gone := pending(t, s, found("gone", "known"))
	check1(t, s.Gone(ctx, gone, "taken away"))
	known, unheard := admit(t, s, found("known", "known")).ID, admit(t, s, found("new", "new")).ID
	list := []int64{unheard, 99, known, refused, unheard}
	want := []Queued{{doc(t, s, unheard), true}, {doc(t, s, known), false}, {doc(t, s, refused), false}, {doc(t, s, unheard), true}}
	if got := must[[]Queued](t)(s.Queued(ctx, list)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRetryNow(t *testing.T) {
	s := openNew(t)
	refused := submitted(t, s, found("a", "a"))
	check1(t, s.Refused(ctx, refused, Refusal{Reason: "503", RetryAt: later}))
	ended := pending(t, s, found("b", "b"))
	must[Document](t)(s.JobEnded(ctx, ended, JobEnd{Reason: "ERROR", RetryAt: later, MaxAttempts: 9}))
	if n := must[int64](t)(s.RetryNow(ctx)); n != 1 {
		t.Errorf("%d pauses ended, want 1", n)
	}
	if got := must[[]int64](t)(s.Submittable(ctx, time.Now(), 9)); !slices.Equal(got, []int64{refused}) {
		t.Errorf("submittable: %d", got)
	}
	if d := doc(t, s, ended); !d.RetryAt.Equal(later) {
		t.Error("the pause of a document whose job failed was ended")
	}
}

func TestRecoverCounts(t *testing.T) {
	s := openNew(t)
	for i := range 3 {
		submitted(t, s, found(fmt.Sprint(i), fmt.Sprint(i)))
	}
	pending(t, s, found("x", "x"))
	if n := must[int64](t)(s.Recover(ctx)); n != 3 {
		t.Errorf("%d recovered, want 3", n)
	}
	if n := must[int64](t)(s.Recover(ctx)); n != 0 {
		t.Errorf("%d recovered again", n)
	}
}

func TestMovableAndWaitingGoOnAfter(t *testing.T) {
	s := openNew(t)
	var movable, waiting []int64
	for i := range 5 {
		movable = append(movable, identified(t, s, found(fmt.Sprint("m", i), fmt.Sprint("m", i)), invoice))
		waiting = append(waiting, admit(t, s, found(fmt.Sprint("w", i), fmt.Sprint("w", i))).ID)
	}
	move(t, s, movable[0])
	for name, c := range map[string]struct {
		ask  func(int64, int) ([]Document, error)
		want []int64
	}{
		"Movable": {func(after int64, n int) ([]Document, error) { return s.Movable(ctx, after, n) }, movable[1:]},
		"Waiting": {func(after int64, n int) ([]Document, error) { return s.Waiting(ctx, after, n) }, waiting},
	} {
		var got []int64
		for after := int64(0); ; after = got[len(got)-1] {
			page := ids(must[[]Document](t)(c.ask(after, 2)))
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPendingOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		b := admit(t, s, found("b", "b")).ID
		time.Sleep(time.Second)
		a := pending(t, s, found("a", "a"))
		time.Sleep(time.Second)
		check1(t, s.Submitting(ctx, b, options))
		check1(t, s.Accepted(ctx, b, "late"))
		if got := ids(must[[]Document](t)(s.Pending(ctx))); !slices.Equal(got, []int64{a, b}) {
			t.Errorf("pending: %d, want %d", got, []int64{a, b})
		}
	})
}

func TestStuckAndFinished(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	for _, start := range starts {
		if n := must[int](t)(openAndCount(t, start.make, now.Add(time.Minute))); n != map[string]int{
			"blocked": 1, "refused": 1, "given up": 1}[start.name] {
			t.Errorf("%s: %d stuck", start.name, n)
		}
	}
	id := identified(t, s, found("a", "a"), invoice)
	move(t, s, id)
	if got := must[map[State]int](t)(s.Finished(ctx, now.Add(-time.Minute))); len(got) != 1 || got[Filed] != 1 {
		t.Errorf("finished: %v", got)
	}
	if got := must[map[State]int](t)(s.Finished(ctx, now.Add(time.Minute))); len(got) != 0 {
		t.Errorf("finished later: %v", got)
	}
}

func openAndCount(t *testing.T, start func(testing.TB, *Store) int64, before time.Time) (int, error) {
	s := openNew(t)
	start(t, s)
	return s.Stuck(ctx, before)
}
