package store

import (
	"testing"
	"time"
)

// waitFor sets up a document that waits to be submitted and two that wait for it.
func waitFor(t *testing.T, s *Store) (leader, first, second int64) {
	t.Helper()
	leader = admit(t, s, found("leader", "a")).ID
	return leader, admit(t, s, found("b", "a")).ID, admit(t, s, found("c", "a")).ID
}

// leads checks who is to be submitted and who waits for it.
func leads(t *testing.T, s *Store, leader int64, others ...int64) {
	t.Helper()
	if d := doc(t, s, leader); d.WaitsFor != 0 {
		t.Errorf("document %d waits for %d", leader, d.WaitsFor)
	}
	for _, id := range others {
		if d := doc(t, s, id); d.WaitsFor != leader {
			t.Errorf("document %d waits for %d, want %d", id, d.WaitsFor, leader)
		}
	}
}

// What keeps one file does not keep identical ones. Where it keeps them too they
// take turns, each when its own pause is over.
func TestPostponedStepsBack(t *testing.T) {
	s := openNew(t)
	leader, first, second := waitFor(t, s)
	check1(t, s.Postponed(ctx, leader, "locked", later))
	leads(t, s, first, leader, second)
	if d := doc(t, s, leader); !d.RetryAt.Equal(later) || d.Error != "locked" {
		t.Errorf("the postponed one: %+v", d)
	}
	check1(t, s.Postponed(ctx, first, "locked", later.Add(time.Second)))
	leads(t, s, second, first, leader)
	check1(t, s.Postponed(ctx, second, "locked", later.Add(2*time.Second)))
	leads(t, s, leader, first, second)
	check1(t, s.Postponed(ctx, leader, "locked", later.Add(-time.Second)))
	leads(t, s, leader, first, second) // it is the first to be tried again

	check1(t, s.Gone(ctx, leader, "deleted"))
	leads(t, s, first, second)
}

func TestRefusalOfItsOwnStepsBack(t *testing.T) {
	for _, own := range []bool{true, false} {
		s := openNew(t)
		leader, first, second := waitFor(t, s)
		check1(t, s.Submitting(ctx, leader, options))
		check1(t, s.Refused(ctx, leader, Refusal{Reason: "changed", RetryAt: later, Own: own, Unknown: own}))
		if !own {
			leads(t, s, leader, first, second)
			continue
		}
		leads(t, s, first, leader, second)
		check1(t, s.Submitting(ctx, first, options))
		if d := doc(t, s, first); d.Resubmissions != 1 {
			t.Errorf("the content was sent before, and its submission is not counted as another: %+v", d)
		}
	}
}

// The one that goes first has the job that may still end.
func TestStepBackHandsTheOpenJobOver(t *testing.T) {
	s := openNew(t)
	leader, first, _ := follow(t, s)
	job := doc(t, s, leader).JobID
	must[Document](t)(s.JobEnded(ctx, leader, JobEnd{Reason: "1 h", Open: true, RetryAt: later, MaxAttempts: 9}))
	check1(t, s.Postponed(ctx, leader, "locked", later))
	if d := doc(t, s, first); !d.JobOpen || d.JobID != job || d.Attempts != 1 || d.SubmittedAt.IsZero() {
		t.Errorf("the heir: %+v", d)
	}
	if d := doc(t, s, leader); d.JobOpen {
		t.Error("the job is open twice")
	}
	check1(t, s.IdentifiedLate(ctx, first, invoice))
	if d := doc(t, s, leader); d.State != Identified || !d.Reused {
		t.Errorf("the one that stepped back: %+v", d)
	}
}
