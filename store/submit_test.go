package store

import (
	"testing"
	"time"
)

// ask asks what [Store.Submitting] makes of a document.
func ask(t testing.TB, s *Store, id int64, r SubmitRequest) Document {
	t.Helper()
	return must[Document](t)(s.Submitting(ctx, id, r))
}

// alike sets up a document under way and two that wait for its answer.
func alike(t *testing.T, s *Store) (first, second, third int64) {
	t.Helper()
	first = pending(t, s, found("a", "same"))
	second, third = admit(t, s, found("b", "same")).ID, admit(t, s, found("c", "same")).ID
	for _, id := range []int64{second, third} {
		if d := ask(t, s, id, request); d.Phase != PhaseEqual || d.State != Waiting || d.Submissions != 0 {
			t.Fatalf("it is %+v", d)
		}
	}
	if got := due(t, s, PhaseReady); len(got) != 0 {
		t.Fatalf("ready: %d", got)
	}
	return first, second, third
}

// phases compares those of some documents.
func phases(t *testing.T, s *Store, when string, want map[int64]Phase) {
	t.Helper()
	for id, phase := range want {
		if d := doc(t, s, id); d.Phase != phase {
			t.Errorf("%s document %d is in phase %q, want %q", when, id, d.Phase, phase)
		}
	}
}

func TestEqualDocumentsGetTheAnswer(t *testing.T) {
	s := openNew(t)
	first, second, third := alike(t, s)
	fourth := admit(t, s, found("d", "same")).ID // nobody has asked for it yet
	other := found("e", "same")
	other.Options = []string{"letter"}
	fifth := admit(t, s, other).ID
	check1(t, s.Identified(ctx, first, invoice))
	d := doc(t, s, first)
	if d.State != Identified || d.Reused || d.Type != "invoice" || d.Phase != PhaseFile {
		t.Errorf("the first one: %+v", d)
	}
	for _, id := range []int64{second, third, fourth} {
		d := doc(t, s, id)
		if d.State != Identified || !d.Reused || d.Type != "invoice" || d.Outcome != Filed || d.Phase != PhaseFile {
			t.Errorf("an equal one: %+v", d)
		}
	}
	phases(t, s, "with other options,", map[int64]Phase{fifth: PhaseReady})
}

// Those that wait fail with a document that the service could not identify, and
// not with one that never reached it.
func TestEqualDocumentsFailTogether(t *testing.T) {
	s := openNew(t)
	first, second, third := alike(t, s)
	must[Document](t)(s.JobEnded(ctx, first, JobEnd{Reason: "ERROR", MaxAttempts: 1}))
	for _, id := range []int64{second, third} {
		if d := doc(t, s, id); d.Outcome != Failed || d.Error != "ERROR" || d.Phase != PhaseFile {
			t.Errorf("an equal one: %+v", d)
		}
	}
	s = openNew(t)
	first, second, third = alike(t, s)
	check1(t, s.Failed(ctx, second, "unreadable"))
	phases(t, s, "after another one failed", map[int64]Phase{first: PhasePoll, third: PhaseReady})
	check1(t, s.Identified(ctx, first, invoice))
	if d := doc(t, s, second); d.Outcome != Failed || d.Type != "" {
		t.Errorf("the answer reached the one that failed: %+v", d)
	}
}

// Whatever keeps a document from bringing an answer, the next one goes.
func TestEqualDocumentsGoOneAfterAnother(t *testing.T) {
	for name, end := range map[string]func(s *Store, id int64) error{
		"gone":      func(s *Store, id int64) error { return s.Gone(ctx, id, "deleted") },
		"job ended": ending(JobEnd{RetryAt: inAnHour, MaxAttempts: 9}),
		"changed":   func(s *Store, _ int64) error { return errOf(s.Admit(ctx, found("a", "other"))) },
	} {
		s := openNew(t)
		first, second, third := alike(t, s)
		check1(t, end(s, first))
		phases(t, s, name, map[int64]Phase{second: PhaseReady, third: PhaseEqual})
		check1(t, s.Postponed(ctx, second, "locked", inAnHour))
		phases(t, s, name+", postponed", map[int64]Phase{second: PhaseReady, third: PhaseReady})
	}
	s := openNew(t)
	first, second, third := alike(t, s)
	check1(t, s.Gone(ctx, first, "deleted"))
	if d := ask(t, s, second, request); d.State != Pending || d.JobID != doc(t, s, first).JobID {
		t.Errorf("the job of the one that is gone is not taken over: %+v", d)
	}
	must[Document](t)(s.JobEnded(ctx, second, JobEnd{Reason: "lost", MaxAttempts: 9}))
	submit(t, s, third)
	if d := doc(t, s, third); d.Submissions != 1 || d.Resubmissions != 1 { // the content was paid for before
		t.Errorf("submissions: %+v", d)
	}
	phases(t, s, "then", map[int64]Phase{second: PhaseReady, third: PhaseSubmit})
	same(t, "phase", ask(t, s, second, request).Phase, PhaseEqual)
	check1(t, s.Refused(ctx, third, Refusal{Reason: "503", RetryAt: inAnHour}))
	phases(t, s, "refused", map[int64]Phase{second: PhaseReady, third: PhaseReady})
}

func TestEqualOnlyWhereItHelps(t *testing.T) {
	for name, change := range map[string]func(*Admission, *SubmitRequest){
		"turned off":    func(_ *Admission, r *SubmitRequest) { r.ReuseWithin = 0 },
		"other options": func(_ *Admission, r *SubmitRequest) { r.Options = []string{"x"} },
		"other content": func(a *Admission, _ *SubmitRequest) { a.SHA256 = hash("b") },
	} {
		s := openNew(t)
		pending(t, s, found("a", "a"))
		a, r := found("b", "a"), request
		change(&a, &r)
		if d := ask(t, s, admit(t, s, a).ID, r); d.State != Submitting {
			t.Errorf("%s: %s, %s", name, d.State, d.Phase)
		}
	}
	s := openNew(t)
	check1(t, s.Failed(ctx, pending(t, s, found("a", "a")), "no"))
	submit(t, s, admit(t, s, found("b", "a")).ID) // the failed one can give no answer
}

func TestTakeOver(t *testing.T) {
	s := openNew(t)
	old := pending(t, s, found("scan.pdf", "a"))
	check1(t, s.Gone(ctx, old, "renamed"))
	renamed := admit(t, s, found("bill.pdf", "a"))
	d := ask(t, s, renamed.ID, SubmitRequest{Options: []string{"receipt", "invoice"}, ReuseWithin: time.Hour})
	if d.State != Pending || d.JobID != doc(t, s, old).JobID || d.Attempts != 1 || d.Submissions != 0 ||
		!d.SubmittedAt.Equal(doc(t, s, old).SubmittedAt) {
		t.Fatalf("taken over: %+v", d)
	}
	if d := ask(t, s, admit(t, s, found("c.pdf", "a")).ID, SubmitRequest{Options: options}); d.State != Submitting {
		t.Errorf("the job was taken over twice: %+v", d)
	}
	// Lost after all: what is submitted now is submitted a second time.
	must[Document](t)(s.JobEnded(ctx, d.ID, JobEnd{Reason: "lost", MaxAttempts: 5}))
	d = ask(t, s, d.ID, SubmitRequest{Options: options})
	if d.State != Submitting || d.Resubmissions != 1 || d.Submissions != 1 {
		t.Errorf("resubmissions %d, submissions %d", d.Resubmissions, d.Submissions)
	}
}

func TestTakeOverNothingThatEnded(t *testing.T) {
	s := openNew(t)
	check1(t, s.Gone(ctx, submitted(t, s, found("a", "a")), "deleted"))
	ended := pending(t, s, found("b", "b"))
	must[Document](t)(s.JobEnded(ctx, ended, JobEnd{Reason: "ERROR", MaxAttempts: 5}))
	check1(t, s.Gone(ctx, ended, "deleted"))
	other := pending(t, s, found("c", "c"))
	check1(t, s.Gone(ctx, other, "deleted"))
	for _, content := range []string{"a", "b", "c"} {
		r := request
		if content == "c" {
			r.Options = []string{"letter"}
		}
		if d := ask(t, s, admit(t, s, found("x"+content, content)).ID, r); d.State != Submitting {
			t.Errorf("%s: %+v", content, d)
		}
	}
}

// A job that was given up unfinished is polled once more, and not where other
// options are wanted by then.
func TestAbandonedJobIsAskedOnce(t *testing.T) {
	s := openNew(t)
	id := pending(t, s, found("a", "a"))
	giveUp := JobEnd{Reason: "1 h", Open: true, RetryAt: inAnHour, MaxAttempts: 9, Polls: 3}
	must[Document](t)(s.JobEnded(ctx, id, giveUp))
	d := ask(t, s, id, request)
	if d.State != Pending || !d.AskedAgain || d.Submissions != 1 || d.Attempts != 1 || !d.RetryAt.IsZero() {
		t.Errorf("asked again: %+v", d)
	}
	same(t, "polls", must[Document](t)(s.JobEnded(ctx, id, giveUp)).Polls, 6)
	same(t, "resubmissions", submit(t, s, id).Resubmissions, 1)
	check1(t, s.Accepted(ctx, id, "second"))
	must[Document](t)(s.JobEnded(ctx, id, giveUp))
	same(t, "with other options", ask(t, s, id, SubmitRequest{Options: []string{"letter"}}).State, Submitting)
}

// A service may return the job of identical content again. While that job is
// pending for one document no other one gets it.
func TestJobIsPendingOnce(t *testing.T) {
	anew := found("b", "same")
	anew.ReuseWithin = 0
	for name, end := range map[string]func(s *Store, id int64) error{
		"given up": func(s *Store, id int64) error {
			_, err := s.JobEnded(ctx, id, JobEnd{Reason: "1 h", Open: true, MaxAttempts: 9})
			return err
		},
		"gone": func(s *Store, id int64) error { return s.Gone(ctx, id, "deleted") },
	} {
		s := openNew(t)
		first := pending(t, s, found("a", "same"))
		second := submitted(t, s, anew)
		check1(t, end(s, first))
		check1(t, s.Accepted(ctx, second, doc(t, s, first).JobID))
		next := first
		if name == "gone" {
			next = admit(t, s, found("c", "same")).ID
		}
		if d := ask(t, s, next, request); d.Phase != PhaseEqual {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestAcceptedWith(t *testing.T) {
	s := openNew(t)
	with := func(codes ...string) bool {
		accepted, _, err := s.AcceptedWith(ctx, codes)
		return must[bool](t)(accepted, err)
	}
	id := submitted(t, s, found("a", "a"))
	if with(options...) || with("letter") {
		t.Error("accepted before anything was")
	}
	check1(t, s.Accepted(ctx, id, "job"))
	d := doc(t, s, id)
	if d.State != Pending || d.JobID != "job" || !with(options...) || !with("receipt", "invoice") || with("letter") {
		t.Errorf("accepted: %+v", d)
	}
	check1(t, s.Close())
	s = openAt(t, s.path)
	same(t, "accepted before a restart", with(options...), true)
}
