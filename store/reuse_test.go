package store

import (
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

// An answer is judged anew, whether it is found at the admission or, because it came
// later, before the submission, and also where the service left the confidence out.
func TestReuseDecidesAnewFromConfidence(t *testing.T) {
	for _, confidence := range []float64{0.9, 0} { // 0: the service left it out
		s := openNew(t)
		answer := invoice
		answer.Share = false
		first := pending(t, s, found("a", "a"))
		late := admit(t, s, found("late", "a")).ID
		check1(t, s.Identified(ctx, first, answer))
		if confidence == 0 {
			check1(t, s.do(ctx, `UPDATE documents SET confidence = NULL WHERE id = ?`, first))
		}
		a := found("b", "a")
		a.Outcome = func(c float64) State {
			same(t, "confidence", c, confidence)
			return Review
		}
		for _, d := range []Document{admit(t, s, a), ask(t, s, late, a.SubmitRequest)} {
			if d.State != Identified || !d.Reused || d.Outcome != Review || d.Submissions != 0 || d.Confidence != confidence {
				t.Errorf("it is %+v", d)
			}
		}
	}
}

func TestReuseWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		identified(t, s, found("a", "a"), invoice)
		time.Sleep(week)
		same(t, "reused an answer exactly as old as the window", admit(t, s, found("b", "a")).Reused, true)
		time.Sleep(time.Millisecond)
		// b's answer is young, but is not the service's own.
		same(t, "reused an older answer, by way of a reused one", admit(t, s, found("c", "a")).Reused, false)
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
		same(t, "answer", admit(t, s, found("b", "a")).Type, "second")
	})
}

// Documents of the same content share their jobs and what they cost.
func TestEqualDocumentsShareTheirJobs(t *testing.T) {
	s := openNew(t)
	first, second, third := alike(t, s)
	d := must[Document](t)(s.JobEnded(ctx, first, JobEnd{Reason: "1 h", Open: true, RetryAt: inAnHour, MaxAttempts: 2, Share: true}))
	if next := doc(t, s, second); d.Outcome != "" || next.Phase != PhaseReady || !next.RetryAt.Equal(inAnHour) {
		t.Errorf("%+v, and the next one: %+v", d, next)
	}
	d = ask(t, s, second, request)
	if d.State != Pending || d.JobID != doc(t, s, first).JobID || !d.AskedAgain || doc(t, s, first).JobAbandoned {
		t.Errorf("the job that was given up is not taken over: %+v", d)
	}
	d = must[Document](t)(s.JobEnded(ctx, second, JobEnd{Reason: "lost", MaxAttempts: 2, Share: true}))
	for _, id := range []int64{first, second, third} {
		same(t, "outcome after their share of jobs", doc(t, s, id).Outcome, Failed)
	}
}
