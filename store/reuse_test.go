package store

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestReuse(t *testing.T) {
	answer := Answer{Type: "invoice", Confidence: 0.6, Alternatives: []byte(`[1]`), Outcome: Filed}
	for _, c := range []struct {
		name   string
		change func(*Admission)
		reused bool
	}{
		{"same", func(*Admission) {}, true},
		{"options in another order", func(a *Admission) { a.Options = []string{"receipt", "invoice", "invoice"} }, true},
		{"other options", func(a *Admission) { a.Options = []string{"invoice"} }, false},
		{"other content", func(a *Admission) { a.SHA256 = hash("other") }, false},
		{"turned off", func(a *Admission) { a.ReuseWithin = 0 }, false},
		{"another inbox", func(a *Admission) { a.Inbox = Folder{Path: "/in2"} }, true},
		{"no function for the outcome", func(a *Admission) { a.Outcome = nil }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t)
			from := identified(t, s, found("a", "a"), answer)
			move(t, s, from)
			a := found("b", "a")
			c.change(&a)
			d := admit(t, s, a)
			if d.Reused != c.reused {
				t.Fatalf("reused = %v", d.Reused)
			}
			if c.reused {
				if d.State != Identified || d.Type != "invoice" || d.Confidence != 0.6 || string(d.Alternatives) != "[1]" ||
					d.Outcome != Filed || d.IdentifiedAt.IsZero() || d.JobID != "" || d.Submissions != 0 {
					t.Errorf("stored as %+v", d)
				}
			} else if d.State != Waiting || d.Type != "" {
				t.Errorf("stored as %+v", d)
			}
		})
	}
}

func TestReuseDecidesAnewFromConfidence(t *testing.T) {
	s := openNew(t)
	identified(t, s, found("a", "a"), Answer{Type: "invoice", Confidence: 0.6, Outcome: Filed})
	a := found("b", "a")
	a.Outcome = func(c float64) State {
		if c != 0.6 {
			t.Errorf("asked with confidence %v", c)
		}
		return Review
	}
	if d := admit(t, s, a); d.Outcome != Review {
		t.Errorf("outcome %s", d.Outcome)
	}
}

func TestReuseWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		identified(t, s, found("a", "a"), invoice)
		time.Sleep(week)
		if d := admit(t, s, found("b", "a")); !d.Reused {
			t.Error("an answer exactly as old as the window is not reused")
		}
		time.Sleep(time.Millisecond)
		// b's answer is young, but is not the service's own.
		if d := admit(t, s, found("c", "a")); d.Reused {
			t.Error("an answer older than the window is reused, by way of a reused one")
		}
	})
}

func TestReuseTakesTheNewestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		for i, kind := range []string{"first", "second"} {
			a := found("a"+kind, "a")
			a.ReuseWithin = 0
			identified(t, s, a, Answer{Type: kind, Confidence: float64(i), Outcome: Filed})
			time.Sleep(time.Hour)
		}
		if d := admit(t, s, found("b", "a")); d.Type != "second" {
			t.Errorf("reused %q", d.Type)
		}
	})
}

// follow sets up a leader in flight and two documents that wait for it.
func follow(t *testing.T, s *Store) (leader, first, second int64) {
	t.Helper()
	leader = pending(t, s, found("leader", "a"))
	b, c := admit(t, s, found("b", "a")), admit(t, s, found("c", "a"))
	if b.WaitsFor != leader || c.WaitsFor != leader || b.State != Waiting {
		t.Fatalf("waiting for %d and %d, want %d", b.WaitsFor, c.WaitsFor, leader)
	}
	if d := must[[]int64](t)(s.Submittable(ctx, time.Now(), 9)); len(d) != 0 {
		t.Fatalf("submittable: %+v", d)
	}
	return leader, b.ID, c.ID
}

func TestFollowersGetTheAnswer(t *testing.T) {
	s := openNew(t)
	leader, first, second := follow(t, s)
	check1(t, s.Identified(ctx, leader, invoice))
	for _, id := range []int64{first, second} {
		d := doc(t, s, id)
		if d.State != Identified || !d.Reused || d.Type != "invoice" || d.Outcome != Filed || d.WaitsFor != 0 {
			t.Errorf("follower: %+v", d)
		}
	}
	if d := doc(t, s, leader); d.Reused {
		t.Error("the leader's own answer is called reused")
	}
}

func TestFollowersFailWithTheirLeader(t *testing.T) {
	s := openNew(t)
	leader, first, second := follow(t, s)
	must[Document](t)(s.JobEnded(ctx, leader, JobEnd{Reason: "ERROR", MaxAttempts: 1}))
	for _, id := range []int64{first, second} {
		if d := doc(t, s, id); d.Outcome != Failed || d.Error != "ERROR" || d.WaitsFor != 0 {
			t.Errorf("follower: %+v", d)
		}
	}
}

func TestFollowersInherit(t *testing.T) {
	s := openNew(t)
	leader, first, second := follow(t, s)
	check1(t, s.Gone(ctx, leader, "deleted"))
	if d := doc(t, s, first); d.WaitsFor != 0 || d.State != Waiting {
		t.Errorf("the heir: %+v", d)
	}
	if d := doc(t, s, second); d.WaitsFor != first {
		t.Errorf("the other waits for %d", d.WaitsFor)
	}
	third := admit(t, s, found("d", "a"))
	if third.WaitsFor != first {
		t.Errorf("a later one waits for %d, want the heir", third.WaitsFor)
	}
	check1(t, s.Gone(ctx, second, "deleted")) // a follower: nobody inherits
	if d := doc(t, s, third.ID); d.WaitsFor != first {
		t.Errorf("after another follower went it waits for %d", d.WaitsFor)
	}
}

// A follower that failed by itself is not raised again by its leader's answer.
func TestFailedFollowerStaysFailed(t *testing.T) {
	s := openNew(t)
	leader, first, _ := follow(t, s)
	check1(t, s.Failed(ctx, first, "unreadable"))
	check1(t, s.Identified(ctx, leader, invoice))
	if d := doc(t, s, first); d.Outcome != Failed || d.Type != "" {
		t.Errorf("it is %+v", d)
	}
	if err := s.Submitting(ctx, first, options); !errors.Is(err, ErrStale) {
		t.Errorf("submitting it: %v", err)
	}
}

func TestFollowOnlyWhereItHelps(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Admission)
	}{
		{"turned off", func(a *Admission) { a.ReuseWithin = 0 }},
		{"other options", func(a *Admission) { a.Options = []string{"x"} }},
		{"other content", func(a *Admission) { a.SHA256 = hash("b") }},
	} {
		s := openNew(t)
		pending(t, s, found("a", "a"))
		a := found("b", "a")
		c.change(&a)
		if d := admit(t, s, a); d.WaitsFor != 0 {
			t.Errorf("%s: waits for %d", c.name, d.WaitsFor)
		}
	}
	s := openNew(t)
	check1(t, s.Failed(ctx, pending(t, s, found("a", "a")), "no"))
	if d := admit(t, s, found("b", "a")); d.WaitsFor != 0 {
		t.Error("it waits for one that has failed and can give no answer")
	}
}

// An answer whose confidence the service left out is an answer.
func TestReuseWithoutConfidence(t *testing.T) {
	s := openNew(t)
	id := identified(t, s, found("a", "a"), invoice)
	check1(t, s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE documents SET confidence = NULL WHERE id = ?`, id)
		return err
	}))
	if d := admit(t, s, found("b", "a")); !d.Reused || d.Confidence != 0 {
		t.Errorf("%+v", d)
	}
}

func TestAdopt(t *testing.T) {
	s := openNew(t)
	old := pending(t, s, found("scan.pdf", "a"))
	check1(t, s.Gone(ctx, old, "renamed"))
	renamed := admit(t, s, found("bill.pdf", "a"))
	if _, ok, err := s.Adopt(ctx, renamed.ID, []string{"x"}); ok || err != nil {
		t.Errorf("adopted with other options: %v, %v", ok, err)
	}
	d, ok, err := s.Adopt(ctx, renamed.ID, []string{"receipt", "invoice"})
	if !ok || err != nil || d.State != Pending || d.JobID != doc(t, s, old).JobID || d.Attempts != 1 || d.Submissions != 0 ||
		!d.SubmittedAt.Equal(doc(t, s, old).SubmittedAt) {
		t.Fatalf("adopted: %v, %v, %+v", ok, err, d)
	}
	other := found("c.pdf", "a")
	other.ReuseWithin = 0
	if _, ok, err := s.Adopt(ctx, admit(t, s, other).ID, options); ok || err != nil {
		t.Errorf("the job was adopted twice: %v", err)
	}
	// Lost after all: what is submitted now is submitted a second time.
	must[Document](t)(s.JobEnded(ctx, d.ID, JobEnd{Reason: "lost", MaxAttempts: 5}))
	check1(t, s.Submitting(ctx, d.ID, options))
	if d := doc(t, s, d.ID); d.Resubmissions != 1 || d.Submissions != 1 {
		t.Errorf("resubmissions %d, submissions %d", d.Resubmissions, d.Submissions)
	}
}

func TestAdoptNothingThatEnded(t *testing.T) {
	s := openNew(t)
	check1(t, s.Gone(ctx, submitted(t, s, found("a", "a")), "deleted"))
	ended := pending(t, s, found("b", "b"))
	must[Document](t)(s.JobEnded(ctx, ended, JobEnd{Reason: "ERROR", MaxAttempts: 5}))
	check1(t, s.Gone(ctx, ended, "deleted"))
	for _, content := range []string{"a", "b"} {
		if _, ok, err := s.Adopt(ctx, admit(t, s, found("x", content)).ID, options); ok || err != nil {
			t.Errorf("%s: adopted %v, %v", content, ok, err)
		}
		check1(t, s.Gone(ctx, must[int64](t)(idAt(s, "x")), "next"))
	}
}

func idAt(s *Store, source string) (id int64, err error) {
	err = s.read.QueryRow(`SELECT id FROM documents WHERE source = ? AND `+unfinished, source).Scan(&id)
	return id, err
}
