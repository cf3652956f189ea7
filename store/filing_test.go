package store

import (
	"fmt"
	"slices"
	"testing"
)

func TestMovedEndsByOutcome(t *testing.T) {
	s := openNew(t)
	filed := identified(t, s, found("a", "a"), invoice)
	review := identified(t, s, found("b", "b"), Answer{Type: "invoice", Confidence: 0.2, Outcome: Review})
	failed := pending(t, s, found("c", "c"))
	check1(t, s.Failed(ctx, failed, "no type"))
	check1(t, s.SetMoveError(ctx, filed, "read-only", inAnHour))
	check1(t, s.SetMoveError(ctx, failed, "read-only", inAnHour))
	move(t, s, filed, review, failed)
	for id, want := range map[int64]struct {
		state State
		err   string
	}{filed: {Filed, ""}, review: {Review, ""}, failed: {Failed, "no type"}} {
		d := doc(t, s, id)
		if d.State != want.state || d.Error != want.err || d.FinishedAt.IsZero() || !d.RetryAt.IsZero() || d.Sorted != "/sorted" ||
			d.Target != fmt.Sprintf("x/%d", id) {
			t.Errorf("document %d: %s, %q, finished %v, at %s/%s", id, d.State, d.Error, d.FinishedAt, d.Sorted, d.Target)
		}
	}
}

func TestTargetLeavesOutOnlyTheStale(t *testing.T) {
	s := openNew(t)
	good := identified(t, s, found("a", "a"), invoice)
	bad := pending(t, s, found("b", "b"))
	stale := must[[]int64](t)(s.Target(ctx, []Targeted{{bad, "/s", "b"}, {good, "/s", "a"}, {99, "/s", "c"}}))
	if !slices.Equal(stale, []int64{bad, 99}) {
		t.Errorf("stale = %d", stale)
	}
	if d := doc(t, s, good); d.Target != "a" {
		t.Errorf("the good one has target %q", d.Target)
	}
	if stale := must[[]int64](t)(s.Target(ctx, []Targeted{{bad, "/s", "a"}})); len(stale) != 1 || doc(t, s, good).Target != "a" {
		t.Errorf("a stale document took the target of another")
	}
}

// What was to be moved to a place before the daemon ended has no claim to it
// once another document is to go there.
func TestTargetIsMeantForOneDocument(t *testing.T) {
	s := openNew(t)
	one, two := identified(t, s, found("a", "a"), invoice), identified(t, s, found("b", "b"), invoice)
	for _, id := range []int64{one, two} {
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, "/s", "invoice/a"}}))
	}
	if a, b := doc(t, s, one), doc(t, s, two); a.Target != "" || a.Sorted != "" || b.Target != "invoice/a" {
		t.Errorf("targets %q and %q", a.Target, b.Target)
	}
	must[[]int64](t)(s.Target(ctx, []Targeted{{one, "/elsewhere", "invoice/a"}}))
	if err := s.Moved(ctx, []int64{one, two}); err != nil {
		t.Fatal(err)
	}
	if a, b := doc(t, s, one), doc(t, s, two); a.State != Filed || b.State != Filed {
		t.Errorf("states %s and %s", a.State, b.State)
	}
}
