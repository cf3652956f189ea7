package store

import (
	"errors"
	"testing"
	"time"
)

// What comes later follows the newest decision of a person about its content, whatever it
// was asked for, could fail for, or was answered; other content does not.
func TestDecisionIsFollowed(t *testing.T) {
	for name, change := range map[string]func(*Admission){
		"same": func(*Admission) {}, "other options": func(a *Admission) { a.Options = []string{"invoice"} },
		"no answer is reused": func(a *Admission) { a.ReuseWithin = 0 },
		"unsupported format":  func(a *Admission) { a.Failure = "unsupported format" },
	} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t)
			first, second := filed(t, s, found("a", "a")), admit(t, s, found("b", "a")).ID
			move(t, s, second)
			check1(t, decide(s, second, "receipt"))
			check1(t, s.do(ctx, `UPDATE documents SET decided_at = decided_at - 1000 WHERE id = ?`, second))
			check1(t, decide(s, first, "contract"))
			finished := doc(t, s, first).FinishedAt
			a := found("c", "a")
			change(&a)
			d := admit(t, s, a)
			if d.State != Identified || d.Outcome != Filed || d.Type != "contract" || d.DecidedBy() != ByPerson || d.Rated() || d.Error != "" {
				t.Errorf("it is %+v", d)
			}
			if d.DecidedAt != doc(t, s, first).DecidedAt || finished != doc(t, s, first).FinishedAt {
				t.Error("a time was changed")
			}
			if other := admit(t, s, found("d", "other")); other.State != Waiting {
				t.Errorf("other content is %+v", other)
			}
		})
	}
}

// Whose file a person changed and then decides about it has the new content from then on.
// The answer for the old content, or the earlier decision about it, is not forgotten.
func TestDecisionAboutChangedContent(t *testing.T) {
	for _, decidedBefore := range []bool{false, true} {
		s := openNew(t)
		id, want := reviewed(t, s, found("a", "a")), "invoice"
		if decidedBefore {
			want = "contract"
			check1(t, decide(s, id, want))
		}
		d := Decision{ID: id, Type: "receipt", Sorted: "/sorted", Target: "receipt/a", SHA256: hash("changed")}
		check1(t, s.Deciding(ctx, d))
		check1(t, s.Decided(ctx, Document{ID: id, Type: "receipt", SHA256: d.SHA256}))
		is(t, "decided twice", s.Decided(ctx, Document{ID: id, Type: "receipt", SHA256: d.SHA256}), ErrStale)
		all := must[[]Document](t)(s.documents(ctx, selectDocuments+` ORDER BY d.id`))
		if len(all) != 2 || all[0].State != Filed || all[1].State != Gone || all[1].Type != want || all[1].Target != "" || all[1].Submissions != 0 {
			t.Fatalf("there are %+v", all)
		}
		if d := admit(t, s, found("b", "a")); d.State != Identified || d.Type != want || d.Outcome != Filed {
			t.Errorf("a copy of the old content is %+v", d)
		}
		if d := admit(t, s, found("c", "changed")); d.State != Identified || d.Type != "receipt" {
			t.Errorf("a copy of the new content is %+v", d)
		}
	}
}

// A decision that is made while a copy waits is followed when the copy's turn comes.
func TestDecisionIsFollowedBeforeASubmission(t *testing.T) {
	s := openNew(t)
	failed := startAs(t, s, "failed")
	waiting := admit(t, s, found("b", "a")).ID
	check1(t, decide(s, failed, "receipt"))
	if d := ask(t, s, waiting, request); d.State != Identified || d.Type != "receipt" || d.DecidedBy() != ByPerson || d.Submissions != 0 {
		t.Errorf("it is %+v", d)
	}
}

// A place is one document's: one that is being filed there, and a decision, exclude each
// other.
func TestDecisionTakesNoPlaceOfAnother(t *testing.T) {
	s := openNew(t)
	decided := filed(t, s, found("a", "a"))
	filing := identified(t, s, found("b", "b"), invoice)
	to := Decision{ID: decided, Type: "receipt", Sorted: "/sorted", Target: "receipt/a", SHA256: hash("a")}
	check1(t, s.Deciding(ctx, to))
	same(t, "left out", must[[]int64](t)(s.Target(ctx, []Targeted{{filing, Folder{Path: "/sorted"}, "receipt/a"}})), []int64{filing})
	check1(t, s.Undecided(ctx, decided))
	must[[]int64](t)(s.Target(ctx, []Targeted{{filing, Folder{Path: "/sorted"}, "receipt/a"}}))
	if err := s.Deciding(ctx, to); !errors.Is(err, ErrTaken) {
		t.Errorf("a place that a document is being moved to: %v", err)
	}
	third := filed(t, s, found("c", "c"))
	to.Target = "receipt/c"
	check1(t, s.Deciding(ctx, to))
	to.ID = third
	if err := s.Deciding(ctx, to); !errors.Is(err, ErrTaken) {
		t.Errorf("a place that another decision has: %v", err)
	}
	same(t, "decisions", len(must[[]Decision](t)(s.Decisions(ctx))), 1)
	same(t, "pruned", must[int64](t)(s.Prune(ctx, time.Now().Add(time.Hour), 9)), 1) // not the one that is being moved
}

// The hook is told, once, with the place and who decided.
func TestDecisionIsAnEvent(t *testing.T) {
	s := openNew(t)
	must[int64](t)(s.Listen(ctx, true))
	id := filed(t, s, found("a", "a"))
	check1(t, decide(s, id, "receipt"))
	all := must[[]Event](t)(s.DueEvents(ctx, time.Now().Add(time.Second), 9))
	check1(t, s.Ack(ctx, all[0].ID))
	all = must[[]Event](t)(s.DueEvents(ctx, time.Now().Add(time.Second), 9))
	if len(all) != 1 || all[0].Kind != "refiled" || all[0].Path != "/sorted/receipt/a" || all[0].Type != "receipt" ||
		all[0].DecidedBy != ByPerson || all[0].Confidence != 0 || all[0].At != doc(t, s, id).DecidedAt {
		t.Errorf("the events are %+v", all)
	}
}

// Who asks anew gets an answer of the service, whatever is known of the content, counted as
// a resubmission; a copy that comes meanwhile waits for it, and follows it.
func TestAskAnew(t *testing.T) {
	s := openNew(t)
	first := filed(t, s, found("a", "a"))
	check1(t, s.do(ctx, `UPDATE documents SET identified_at = identified_at - 1000 WHERE id = ?`, first))
	id := admit(t, s, found("b", "a")).ID // by the answer for the first
	move(t, s, id)
	check1(t, decide(s, id, "contract"))
	place := doc(t, s, id).Target
	check1(t, s.AskAnew(ctx, id, Identity{}))
	is(t, "twice", s.AskAnew(ctx, id, Identity{}), ErrStale)
	is(t, "decide meanwhile", decide(s, id, "receipt"), ErrStale)
	if d := must[Admitted](t)(s.Admit(ctx, found("b", "other"))); !d.New || d.Replaced != 0 {
		t.Errorf("another file of its name: %+v", d)
	}
	d := ask(t, s, id, request)
	if d.State != Submitting || d.Resubmissions != 1 || d.StaysAt != place || d.Target != "" || d.Type != "contract" {
		t.Fatalf("asked it is %+v", d)
	}
	check1(t, s.Accepted(ctx, id, "job of b"))
	check1(t, s.Identified(ctx, id, Answer{Type: "receipt", Confidence: 0.8, Outcome: Filed, Share: true}))
	if d := doc(t, s, id); d.Type != "receipt" || d.DecidedBy() != ByService || d.Reused || d.StaysAt != place {
		t.Errorf("answered it is %+v", d)
	}
	move(t, s, id)
	if d := doc(t, s, id); d.State != Filed || d.StaysAt != "" {
		t.Errorf("filed it is %+v", d)
	}
	if d := admit(t, s, found("c", "a")); d.Type != "receipt" {
		t.Errorf("a copy is %+v", d)
	}
}

// What fails another document of its content leaves one alone that is asked about anew.
func TestAskAnewDoesNotFail(t *testing.T) {
	s := openNew(t)
	id := filed(t, s, found("a", "a"))
	check1(t, s.AskAnew(ctx, id, Identity{}))
	other := found("b", "a")
	other.ReuseWithin = 0
	check1(t, s.Failed(ctx, pending(t, s, other), "no"))
	if d := doc(t, s, id); d.Phase != PhaseReady {
		t.Errorf("it is %+v", d)
	}
	check1(t, s.Failed(ctx, id, "no"))
	if d := doc(t, s, id); d.State != Filed || d.Error == "" || d.Target == "" || d.StaysAt != "" {
		t.Errorf("without an answer it is %+v", d)
	}
}

// The event of one that is stuck names the place where its file lies.
func TestStuckWhileItIsAskedAnew(t *testing.T) {
	s := openNew(t)
	id := filed(t, s, found("a", "a"))
	place := doc(t, s, id).Target
	must[int64](t)(s.Listen(ctx, true))
	check1(t, s.AskAnew(ctx, id, Identity{}))
	submit(t, s, id)
	check1(t, s.Refused(ctx, id, Refusal{Reason: "415", RetryAt: inAnHour}))
	same(t, "stuck", must[int64](t)(s.MarkStuck(ctx, time.Now().Add(time.Second))), 1)
	all := must[[]Event](t)(s.DueEvents(ctx, time.Now().Add(time.Second), 9))
	if len(all) != 1 || all[0].Kind != "stuck" || all[0].Path != "/sorted/"+place || all[0].Reason != "415" {
		t.Errorf("the events are %+v", all)
	}
}
