package store

import (
	"testing"
	"time"
)

// TestNotTaken: the list is replaced as a whole, stays after a kill, and is empty after an
// end in good order and after a start.
func TestNotTaken(t *testing.T) {
	s := openNew(t)
	at := time.UnixMilli(1000)
	files := []NotTaken{{"a\xff", "being written", at}, {"b", "empty", at.Add(time.Second)}}
	lists := func(want ...NotTaken) {
		t.Helper()
		same(t, "not taken", must[Summary](t)(reader(t, s).Summary(ctx, Filter{State: Filed})).NotTaken, want)
	}
	check1(t, s.SetNotTaken(ctx, []NotTaken{{"c", "too many", at}}))
	check1(t, s.SetNotTaken(ctx, []NotTaken{files[1], files[0]}))
	lists(files...)
	check1(t, s.Started(ctx, 1))
	lists()
	check1(t, s.SetNotTaken(ctx, files))
	check1(t, s.Stopped(ctx))
	lists()
}
