package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// finishedAt moves the end of a document to another time.
func finishedAt(t testing.TB, s *Store, id int64, at time.Time) {
	t.Helper()
	check1(t, s.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE documents SET finished_at = ? WHERE id = ?", at.UnixMilli(), id)
		return err
	}))
}

func TestPruneRemovesTheOldFinishedOnly(t *testing.T) {
	s := openNew(t)
	now := time.Now()
	if at := must[time.Time](t)(s.OldestFinished(ctx)); !at.IsZero() {
		t.Errorf("the oldest of none is %v", at)
	}
	waits := admit(t, s, found("waits", "waits")).ID
	old := identified(t, s, found("old", "old"), invoice)
	young := identified(t, s, found("young", "young"), invoice)
	back := failedAfter(t, s, found("back", "back"), 1, false)
	move(t, s, old, young)
	check1(t, s.PuttingBack(ctx, back, "back"))
	finishedAt(t, s, old, now.Add(-2*time.Hour))
	finishedAt(t, s, back, now.Add(-3*time.Hour))
	if at := must[time.Time](t)(s.OldestFinished(ctx)); at.UnixMilli() != now.Add(-2*time.Hour).UnixMilli() {
		t.Errorf("the oldest is of %v", at)
	}
	if n := must[int64](t)(s.Prune(ctx, now.Add(-time.Hour), 9)); n != 1 {
		t.Errorf("%d were removed", n)
	}
	for id, stays := range map[int64]bool{waits: true, old: false, young: true, back: true} {
		if _, err := s.Document(ctx, id); (err == nil) != stays {
			t.Errorf("document %d: %v", id, err)
		}
	}
	if d := admit(t, s, found("again", "young")); !d.Reused {
		t.Errorf("what is kept is no answer any more: %+v", d)
	}
	if d := admit(t, s, found("more", "old")); d.Reused || d.ID <= back {
		t.Errorf("an id or an answer came back: %+v", d)
	}
}

func TestPruneInBatches(t *testing.T) {
	s := openNew(t)
	for i := range 5 {
		id := admit(t, s, found(fmt.Sprint(i), fmt.Sprint(i))).ID
		check1(t, s.Gone(ctx, id, ""))
		finishedAt(t, s, id, time.Unix(int64(i), 0))
	}
	for _, want := range []int64{2, 2, 1, 0} {
		if n := must[int64](t)(s.Prune(ctx, time.Unix(9, 0), 2)); n != want {
			t.Errorf("%d were removed, want %d", n, want)
		}
	}
	for _, query := range []string{
		"SELECT id FROM documents INDEXED BY documents_finished WHERE finished_at < ? AND put_back IS NULL ORDER BY finished_at LIMIT ?",
		"SELECT min(finished_at) FROM documents WHERE finished_at IS NOT NULL AND put_back IS NULL",
	} {
		if p := plan(t, s, query); !strings.Contains(p, "documents_finished") || strings.Contains(p, "TEMP B-TREE") {
			t.Errorf("%s\n%s", query, p)
		}
	}
}
