package store

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestDuplicateJob(t *testing.T) {
	for _, c := range []struct {
		name    string
		holder  func(t *testing.T, s *Store) int64
		content string
		want    error
	}{
		{"of a pending document", func(t *testing.T, s *Store) int64 { return pending(t, s, found("a", "a")) }, "b", ErrDuplicateJob},
		{"of a filed document", func(t *testing.T, s *Store) int64 {
			id := identified(t, s, found("a", "a"), invoice)
			move(t, s, id)
			return id
		}, "b", ErrDuplicateJob},
		{"of a gone document", func(t *testing.T, s *Store) int64 {
			id := pending(t, s, found("a", "a"))
			check1(t, s.Gone(ctx, id, "deleted"))
			return id
		}, "b", ErrDuplicateJob},
		{"of identical content, pending", func(t *testing.T, s *Store) int64 { return pending(t, s, found("a", "a")) }, "a", ErrDuplicateJob},
		{"of identical content, finished", func(t *testing.T, s *Store) int64 {
			id := identified(t, s, found("a", "a"), invoice)
			move(t, s, id)
			return id
		}, "a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			job := doc(t, s, c.holder(t, s)).JobID
			a := found("b", c.content)
			a.ReuseWithin = 0
			id := submitted(t, s, a)
			before := row(t, s, id)
			err := s.Accepted(ctx, id, job)
			if !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			if d := diff(before, row(t, s, id)); err != nil && len(d) > 0 {
				t.Errorf("changed %q", d)
			}
			if err != nil {
				check1(t, s.Accepted(ctx, id, "its own"))
			}
		})
	}
}

// The service may give the same job for the same document again.
func TestSameJobAgain(t *testing.T) {
	s := openNew(t)
	id := pending(t, s, found("a", "a"))
	must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "timeout", Open: true, MaxAttempts: 5}))
	check1(t, s.Submitting(ctx, id, options))
	check1(t, s.Accepted(ctx, id, doc(t, s, id).JobID))
}

// What became of the newest POST is known again once there is a job.
func TestAJobEndsTheUnknown(t *testing.T) {
	s := openNew(t)
	id := submitted(t, s, found("a", "a"))
	check1(t, s.Refused(ctx, id, Refusal{Reason: "reset", Unknown: true, RetryAt: later}))
	check1(t, s.Submitting(ctx, id, options))
	check1(t, s.Accepted(ctx, id, "job"))
	if d := doc(t, s, id); d.Unknown || d.Refusals != 0 || d.Error != "" || !d.RetryAt.IsZero() {
		t.Errorf("accepted: %+v", d)
	}
}

// counts is what the report is made of.
type counts struct{ submissions, resubmissions, attempts, refusals int }

func TestCounters(t *testing.T) {
	refused := func(r Refusal) func(*Store, int64) error {
		return func(s *Store, id int64) error { r.Reason = "r"; return s.Refused(ctx, id, r) }
	}
	submit := func(s *Store, id int64) error { return s.Submitting(ctx, id, options) }
	n := 0
	accept := func(s *Store, id int64) error { n++; return s.Accepted(ctx, id, fmt.Sprint("job-", n)) }
	end := func(s *Store, id int64) error {
		_, err := s.JobEnded(ctx, id, JobEnd{Reason: "ERROR", MaxAttempts: 9})
		return err
	}
	recover := func(s *Store, _ int64) error { _, err := s.Recover(ctx); return err }
	type steps []func(*Store, int64) error
	for _, c := range []struct {
		name  string
		steps steps
		want  counts
	}{
		{"one POST", steps{submit}, counts{1, 0, 0, 0}},
		{"accepted", steps{submit, accept}, counts{1, 0, 1, 0}},
		{"refused for good reason, then accepted", steps{submit, refused(Refusal{}), submit, accept}, counts{2, 0, 1, 0}},
		{"refused three times", steps{submit, refused(Refusal{}), submit, refused(Refusal{}), submit, refused(Refusal{})}, counts{3, 0, 0, 3}},
		{"blameless", steps{submit, refused(Refusal{Blameless: true}), submit}, counts{2, 0, 0, 0}},
		{"unknown, then again", steps{submit, refused(Refusal{Unknown: true}), submit}, counts{2, 1, 0, 1}},
		{"unknown stays so through a refusal", steps{submit, refused(Refusal{Unknown: true}), submit, refused(Refusal{}), submit, accept}, counts{3, 2, 1, 0}},
		{"unknown at a stop", steps{submit, refused(Refusal{Unknown: true, Blameless: true}), submit}, counts{2, 1, 0, 0}},
		{"crashed", steps{submit, recover, submit, accept}, counts{2, 1, 1, 0}},
		{"job failed", steps{submit, accept, end, submit, accept}, counts{2, 1, 2, 0}},
		{"job failed, refused, then again", steps{submit, accept, end, submit, refused(Refusal{}), submit}, counts{3, 2, 1, 1}},
	} {
		s := openNew(t)
		id := admit(t, s, found("a", "a")).ID
		for i, step := range c.steps {
			if err := step(s, id); err != nil {
				t.Fatalf("%s: step %d: %v", c.name, i, err)
			}
		}
		d := doc(t, s, id)
		if got := (counts{d.Submissions, d.Resubmissions, d.Attempts, d.Refusals}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPollsAreStoredWithTheNextChange(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		a, b := pending(t, s, found("a", "a")), pending(t, s, found("b", "b"))
		for range 3 {
			s.Polled(a)
		}
		s.Polled(b)
		s.Polled(99) // no longer there
		check1(t, s.Identified(ctx, b, invoice))
		if x, y := doc(t, s, a).Polls, doc(t, s, b).Polls; x != 3 || y != 1 {
			t.Errorf("polls %d and %d, want 3 and 1", x, y)
		}
		s.Polled(a)
		time.Sleep(pollsUnstored + time.Millisecond) // in a bubble: nobody waits
		check1(t, s.write(ctx, func(*tx) error { return nil }))
		if x := doc(t, s, a).Polls; x != 4 {
			t.Errorf("polls %d, want 4", x)
		}
		s.Polled(a)
		path := s.path
		check1(t, s.Close())
		if x := doc(t, openAt(t, path), a).Polls; x != 5 {
			t.Errorf("polls after closing %d, want 5", x)
		}
	})
}

// Without any other change they are stored after a short while.
func TestPollsAreStoredByThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		id := pending(t, s, found("a", "a"))
		commits := countCommits(t, s)
		for range 50 {
			s.Polled(id)
		}
		time.Sleep(pollsUnstored * 2)
		if x := doc(t, s, id).Polls; x != 50 {
			t.Errorf("polls %d, want 50", x)
		}
		if got := commits.Load(); got > 1 {
			t.Errorf("%d commits for them", got)
		}
	})
}

func TestJobEndedCountsJobs(t *testing.T) {
	s := openNew(t)
	id := admit(t, s, found("a", "a")).ID
	for i := 1; i <= 3; i++ {
		check1(t, s.Submitting(ctx, id, options))
		check1(t, s.Accepted(ctx, id, fmt.Sprint(i)))
		d := must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "lost", RetryAt: later, MaxAttempts: 3}))
		if i < 3 && (d.Outcome != "" || !d.RetryAt.Equal(later)) {
			t.Errorf("after job %d: %+v", i, d)
		}
		if i == 3 && (d.Outcome != Failed || d.Error != "lost (3 jobs, none gave a type)") {
			t.Errorf("at the end: %s, %q", d.Outcome, d.Error)
		}
	}
}
