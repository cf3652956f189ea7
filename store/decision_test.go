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
