package store

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

// What was to be moved to a place before the daemon ended has no claim to it
// once another document is to go there, unless that one is stale.
func TestTargetIsMeantForOneDocument(t *testing.T) {
	s := openNew(t)
	one, two := identified(t, s, found("a", "a"), invoice), identified(t, s, found("b", "b"), invoice)
	bad := pending(t, s, found("bad", "bad"))
	stale := must[[]int64](t)(s.Target(ctx, []Targeted{{bad, Folder{Path: "/s"}, "c"}, {one, Folder{Path: "/s"}, "a"}, {99, Folder{Path: "/s"}, "d"}}))
	same(t, "stale", stale, []int64{bad, 99})
	same(t, "stale", must[[]int64](t)(s.Target(ctx, []Targeted{{bad, Folder{Path: "/s"}, "a"}})), []int64{bad})
	same(t, "target that a stale document was to take", doc(t, s, one).Target, "a")
	must[[]int64](t)(s.Target(ctx, []Targeted{{two, Folder{Path: "/s"}, "a"}}))
	if a, b := doc(t, s, one), doc(t, s, two); a.Target != "" || a.Sorted != "" || b.Target != "a" {
		t.Errorf("targets %q and %q", a.Target, b.Target)
	}
	must[[]int64](t)(s.Target(ctx, []Targeted{{one, Folder{Path: "/elsewhere"}, "a"}}))
	same(t, "stale", must[[]int64](t)(s.Moved(ctx, []int64{one, two})), nil)
}

// What became of a document is told once, while somebody listens, whatever became
// of it; a document that is moved already is not told of again.
func TestMovedTells(t *testing.T) {
	s := openNew(t)
	due := func() []Event { return must[[]Event](t)(s.DueEvents(ctx, time.Now(), 9)) }
	unheard := filed(t, s, found("unheard.pdf", "unheard"))
	if all := due(); len(all) != 0 {
		t.Fatalf("told with nobody to listen: %+v", all)
	}
	must[int64](t)(s.Listen(ctx, true))
	low := invoice
	low.Outcome, low.Confidence = Review, 0.2
	ids := []int64{
		identified(t, s, found("filed.pdf", "filed"), invoice), identified(t, s, found("review.pdf", "review"), low),
		failedAfter(t, s, found("failed.pdf", "failed"), 1, false),
	}
	check1(t, s.SetMoveError(ctx, ids[0], "read-only", inAnHour))
	move(t, s, ids[:2]...)
	all := append(slices.Clip(ids), unheard)
	same(t, "moved already", must[[]int64](t)(s.Moved(ctx, all)), all)
	for i, want := range []State{Filed, Review, Failed} {
		d := doc(t, s, ids[i])
		if d.State != want || (d.Error == "") != (want != Failed) || d.FinishedAt.IsZero() || !d.RetryAt.IsZero() ||
			d.Sorted != "/sorted" || d.Target != fmt.Sprintf("x/%d", d.ID) {
			t.Errorf("moved: %+v", d)
		}
	}
	got := due()
	for i, d := range []Document{doc(t, s, ids[2]), doc(t, s, ids[0]), doc(t, s, ids[1])} {
		want := Event{
			ID: int64(i) + 1, Kind: string(d.State), At: d.FinishedAt, Document: d.ID, Source: d.Source,
			Path: d.Sorted + "/" + d.Target, Type: d.Type, Confidence: d.Confidence, DecidedBy: d.DecidedBy(), Reason: d.Error,
		}
		if len(got) != 3 || !reflect.DeepEqual(got[i], want) {
			t.Fatalf("event %d of %+v, want %+v", i, got, want)
		}
	}
}

// finishedAt moves the end of a document to another time.
func finishedAt(t testing.TB, s *Store, id int64, at time.Time) {
	t.Helper()
	check1(t, s.do(ctx, "UPDATE documents SET finished_at = ? WHERE id = ?", at.UnixMilli(), id))
}

func TestPruneRemovesTheOldFinishedOnlyInBatches(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	waits := admit(t, s, found("waits", "waits")).ID
	old := identified(t, s, found("old", "old"), invoice)
	young := identified(t, s, found("young", "young"), invoice)
	back := failedAfter(t, s, found("back", "back"), 1, false)
	move(t, s, old, young)
	check1(t, s.PuttingBack(ctx, back, "back"))
	finishedAt(t, s, old, now.Add(-2*time.Hour))
	finishedAt(t, s, back, now.Add(-3*time.Hour))
	for i := range 4 {
		gone := admit(t, s, found(fmt.Sprint(i), fmt.Sprint(i))).ID
		check1(t, s.Gone(ctx, gone, ""))
		finishedAt(t, s, gone, now.Add(-2*time.Hour))
	}
	for _, want := range []int64{2, 2, 1, 0} {
		same(t, "removed", must[int64](t)(s.Prune(ctx, now.Add(-time.Hour), 2)), want)
	}
	for id, stays := range map[int64]bool{waits: true, old: false, young: true, back: true} {
		if _, err := s.Document(ctx, id); (err == nil) != stays {
			t.Errorf("document %d: %v", id, err)
		}
	}
	same(t, "reused what is kept", admit(t, s, found("again", "young")).Reused, true)
	if d := admit(t, s, found("more", "old")); d.Reused || d.ID <= back {
		t.Errorf("an id or an answer came back: %+v", d)
	}
}
