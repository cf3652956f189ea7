package store

import (
	"reflect"
	"testing"
	"time"
)

// What became of a document is told once, while somebody listens, whatever became
// of it; a document that is moved already is not told of again.
func TestMovedTells(t *testing.T) {
	s := openNew(t)
	due := func() []Event { return must[[]Event](t)(s.DueEvents(ctx, time.Now(), 9)) }
	unheard := identified(t, s, found("unheard.pdf", "unheard"), invoice)
	move(t, s, unheard)
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
	move(t, s, ids[:2]...)
	check1(t, s.Moved(ctx, append(ids, unheard)))
	got := due()
	for i, d := range []Document{doc(t, s, ids[2]), doc(t, s, ids[0]), doc(t, s, ids[1])} {
		want := Event{
			ID: int64(i) + 1, Kind: string(d.State), At: d.FinishedAt, Document: d.ID, Source: d.Source,
			Path: d.Sorted + "/" + d.Target, Type: d.Type, Confidence: d.Confidence, Reason: d.Error,
		}
		if len(got) != 3 || !reflect.DeepEqual(got[i], want) {
			t.Fatalf("event %d of %+v, want %+v", i, got, want)
		}
	}
}
