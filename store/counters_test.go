package store

import (
	"errors"
	"fmt"
	"testing"
)

// A job is taken from another document only where that one has the same content and
// does not need it any more, or is the document itself.
func TestDuplicateJob(t *testing.T) {
	for _, c := range []struct {
		holder, content string
		want            error
	}{
		{"pending", "b", ErrDuplicateJob}, {"filed", "b", ErrDuplicateJob}, {"gone", "b", ErrDuplicateJob},
		{"pending", "a", ErrDuplicateJob}, {"filed", "a", nil},
	} {
		t.Run(c.holder+" "+c.content, func(t *testing.T) {
			s := openNew(t)
			job := doc(t, s, startAs(t, s, c.holder)).JobID
			a := found("b", c.content)
			a.ReuseWithin = 0
			id := submitted(t, s, a)
			before := row(t, s, id)
			err := s.Accepted(ctx, id, job)
			if !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			if err != nil {
				same(t, "columns changed", len(diff(before, row(t, s, id))), 0)
				check1(t, s.Accepted(ctx, id, "its own"))
			}
			must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "timeout", MaxAttempts: 5}))
			ask(t, s, id, SubmitRequest{Options: options}) // the service may give the same job for it again
			check1(t, s.Accepted(ctx, id, doc(t, s, id).JobID))
		})
	}
}

// counts is what the report is made of.
type counts struct{ submissions, resubmissions, attempts, refusals int }

func TestCounters(t *testing.T) {
	post := func(s *Store, id int64) error { return errOf(s.Submitting(ctx, id, request)) }
	n := 0
	accept := func(s *Store, id int64) error { n++; err := s.Accepted(ctx, id, fmt.Sprint("job-", n)); return err }
	end := ending(JobEnd{Reason: "ERROR", MaxAttempts: 9})
	recover := func(s *Store, _ int64) error { _, err := s.Recover(ctx); return err }
	type steps []func(*Store, int64) error
	for _, c := range []struct {
		name  string
		steps steps
		want  counts
	}{
		{"one POST", steps{post}, counts{1, 0, 0, 0}},
		{"accepted", steps{post, accept}, counts{1, 0, 1, 0}},
		{"refused for good reason, then accepted", steps{post, refusing(Refusal{}), post, accept}, counts{2, 0, 1, 0}},
		{"refused three times", steps{post, refusing(Refusal{}), post, refusing(Refusal{}), post, refusing(Refusal{})}, counts{3, 0, 0, 3}},
		{"blameless", steps{post, refusing(Refusal{Uncounted: true}), post}, counts{2, 0, 0, 0}},
		{"unknown, then again", steps{post, refusing(Refusal{OutcomeUnknown: true}), post}, counts{2, 1, 0, 1}},
		{"unknown stays so through a refusal", steps{post, refusing(Refusal{OutcomeUnknown: true}), post, refusing(Refusal{}), post, accept}, counts{3, 2, 1, 0}},
		{"unknown at a stop", steps{post, refusing(Refusal{OutcomeUnknown: true, Uncounted: true}), post}, counts{2, 1, 0, 0}},
		{"crashed", steps{post, recover, post, accept}, counts{2, 1, 1, 0}},
		{"job failed", steps{post, accept, end, post, accept}, counts{2, 1, 2, 0}},
		{"job failed, refused, then again", steps{post, accept, end, post, refusing(Refusal{}), post}, counts{3, 2, 1, 1}},
	} {
		s := openNew(t)
		id := admit(t, s, found("a", "a")).ID
		for i, step := range c.steps {
			if err := step(s, id); err != nil {
				t.Fatalf("%s: step %d: %v", c.name, i, err)
			}
		}
		d := doc(t, s, id)
		// What became of the newest POST is known once there is a job.
		if d.State == Pending && (d.OutcomeUnknown || d.Error != "" || !d.RetryAt.IsZero()) {
			t.Errorf("%s: accepted: %+v", c.name, d)
		}
		if got := (counts{d.Submissions, d.Resubmissions, d.Attempts, d.Failures}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
