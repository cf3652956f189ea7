package store

import (
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// randomRecord replaces the documents by up to 60 others, and hands a reader of
// them and all of them to f.
func randomRecord(rt *rapid.T, s *Store, f func(*Reader, []Document)) {
	n := rapid.IntRange(0, 60).Draw(rt, "documents")
	rows := make([]func(*tx) error, n) // drawn first: rapid wants its own goroutine
	for i := range rows {
		rows[i] = randomRow(rt, i)
	}
	check1(rt, s.write(ctx, func(tx *tx) error {
		_, err := tx.exec("DELETE FROM documents")
		for _, store := range rows {
			err = errors.Join(err, store(tx))
		}
		return err
	}))
	r := must[*Reader](rt)(OpenReader(ctx, s.path))
	defer r.Close()
	var all []Document
	check1(rt, r.Documents(ctx, Filter{}, func(d *Document) error { all = append(all, *d); return nil }))
	f(r, all)
}

func TestSeriesAgainstSummaries(t *testing.T) {
	s := openNew(t)
	check1(t, s.write(ctx, func(tx *tx) error { _, err := tx.folder(Folder{Path: "/sorted"}); return err }))
	rapid.Check(t, func(rt *rapid.T) {
		edges := rapid.SliceOfNDistinct(rapid.Int64Range(-5, 105), 1, 6, rapid.ID).Draw(rt, "bounds")
		slices.Sort(edges)
		var bounds []time.Time
		for _, ms := range edges {
			bounds = append(bounds, time.UnixMilli(ms))
		}
		f := Filter{
			State: rapid.SampledFrom(append(States(), "", "", "")).Draw(rt, "filter state"),
			Type:  rapid.SampledFrom([]string{"", "", "invoice"}).Draw(rt, "filter type"),
		}
		randomRecord(rt, s, func(r *Reader, all []Document) {
			got := must[Series](rt)(r.Series(ctx, f, bounds))
			var want []Bucket
			var inAll []Document
			for i := 1; i < len(bounds); i++ {
				var in []Document
				for _, d := range all {
					if d.State.Finished() && !d.FinishedAt.Before(bounds[i-1]) && d.FinishedAt.Before(bounds[i]) {
						in = append(in, d)
					}
				}
				inAll = append(inAll, in...)
				sum := naive(in, f)
				want = append(want, Bucket{bounds[i-1], bounds[i],
					sum.Totals[Filed], sum.Totals[Review], sum.Totals[Failed], sum.Totals[Gone], sum.Latency})
			}
			if !reflect.DeepEqual(got.Buckets, want) {
				rt.Fatalf("filter %+v\n got %+v\nwant %+v", f, got.Buckets, want)
			}
			if took := naive(inAll, f).Latency; !reflect.DeepEqual(got.Latency, took) {
				rt.Fatalf("filter %+v: together %+v, want %+v", f, got.Latency, took)
			}
			first := must[time.Time](rt)(r.FirstFinished(ctx))
			for _, d := range all {
				if d.State.Finished() && d.FinishedAt.Before(first) {
					rt.Fatalf("document %d was finished before the first one", d.ID)
				}
			}
		})
	})
}

func TestRecentAgainstAllDocuments(t *testing.T) {
	s := openNew(t)
	check1(t, s.write(ctx, func(tx *tx) error { _, err := tx.folder(Folder{Path: "/sorted"}); return err }))
	order := map[Phase]int{PhaseFile: 0, PhasePoll: 1, PhaseSubmit: 2, PhaseAdmit: 3, PhaseReady: 3, PhaseEqual: 3}
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(rt, "limit")
		after, until := rapid.Int64Range(0, 99).Draw(rt, "after"), rapid.Int64Range(0, 99).Draw(rt, "until")
		randomRecord(rt, s, func(r *Reader, all []Document) {
			var open []Document
			var last, between, found []int64
			known := must[[]string](rt)(r.Types(ctx))
			for _, d := range all {
				if !d.State.Finished() {
					open = append(open, d)
					continue
				}
				ms := d.FinishedAt.UnixMilli()
				last = append(last, ms)
				if ms > after && ms <= until {
					between = append(between, d.ID)
				}
				if d.Type != "" && !slices.Contains(known, d.Type) {
					rt.Errorf("types %v, without %s", known, d.Type)
				}
			}
			slices.SortStableFunc(open, func(a, b Document) int { return order[a.Phase] - order[b.Phase] })
			same(rt, "under way", ids(must[[]Document](rt)(r.Underway(ctx, limit))), ids(open[:min(limit, len(open))]))
			slices.SortFunc(last, func(a, b int64) int { return int(b - a) })
			newest := must[[]Document](rt)(r.Last(ctx, limit))
			for i, ms := range last[:min(limit, len(last))] {
				if i >= len(newest) || newest[i].FinishedAt.UnixMilli() != ms {
					rt.Fatalf("last finished: %+v, want those of %v", newest, last)
				}
			}
			check1(rt, r.FinishedBetween(ctx, time.UnixMilli(after), time.UnixMilli(until),
				func(d *Document) error { found = append(found, d.ID); return nil }))
			slices.Sort(found)
			same(rt, "between", found, between)
			same(rt, "types in order", slices.IsSorted(known), true)
		})
	})
}

func TestProgress(t *testing.T) {
	s := openNew(t)
	progress := func() Progress {
		t.Helper()
		r := reader(t, s)
		return must[Progress](t)(r.Progress(ctx, time.Now()))
	}
	if p := progress(); p.Due != 0 || !p.Last.IsZero() || !p.Oldest.IsZero() || len(p.Unfinished) != 4 {
		t.Errorf("of nothing: %+v", p)
	}
	due := func(what string, want int) {
		t.Helper()
		if p := progress(); p.Due != want {
			t.Errorf("%s: %d are due, want %d of %+v", what, p.Due, want, p)
		}
	}
	first := admit(t, s, found("a", "a"))
	due("a new document", 1)
	if p := progress(); !p.Oldest.Equal(first.DiscoveredAt) || !p.Last.Equal(first.DiscoveredAt) || p.Unfinished[Waiting] != 1 {
		t.Errorf("%+v", p)
	}
	second := admit(t, s, found("b", "a"))
	due("identical content", 2)
	blocked := found("c", "c")
	blocked.SHA256, blocked.Blocked = nil, "may not be read"
	admit(t, s, blocked)
	due("one that may not be read", 2)
	submit(t, s, first.ID)
	ask(t, s, second.ID, request)
	due("an upload, and one that waits for it", 1)
	check1(t, s.Refused(ctx, first.ID, Refusal{Reason: "503", RetryAt: time.Now().Add(time.Hour)}))
	due("a pause, and the one that waited", 1)
	check1(t, s.Gone(ctx, first.ID, "taken away"))
	id := identified(t, s, found("d", "d"), invoice)
	due("one to be moved, and the one that waited", 2)
	check1(t, s.SetMoveError(ctx, id, "permission denied", inAnHour))
	due("one that cannot be moved", 1)
	move(t, s, id)
	if p := progress(); !p.Last.Equal(doc(t, s, id).FinishedAt) {
		t.Errorf("the last change was at %v, not when it was finished", p.Last)
	}
}

// What a page asks every second must not look at every document, nor sort.
func TestQueriesOfThePageUseIndexes(t *testing.T) {
	s := openNew(t)
	var seen []string
	r := must[*Reader](t)(OpenReader(ctx, s.path))
	check1(t, r.Close())
	r.db = sql.OpenDB(recorder{dsn(s.path, "ro"), &seen})
	r.conn = must[*sql.Conn](t)(r.db.Conn(ctx))
	r.from = r.conn
	defer r.Close()
	now := time.Now()
	checkPlans(t, s, &seen, []planned{
		{"Underway", func() error { _, err := r.Underway(ctx, 9); return err }, "documents_phase", true},
		{"Last", func() error { _, err := r.Last(ctx, 9); return err }, "documents_finished", false},
		{"FinishedBetween", func() error { return r.FinishedBetween(ctx, now, now, nil) }, "documents_finished", false},
		{"Series", func() error { _, err := r.Series(ctx, Filter{}, []time.Time{now, now.Add(time.Second)}); return err }, "COVERING INDEX documents_finished", true},
		{"FirstFinished", func() error { _, err := r.FirstFinished(ctx); return err }, "COVERING INDEX documents_finished", false},
		{"Progress", func() error { _, err := r.Progress(ctx, now); return err }, "documents_", false},
		{"Types", func() error { _, err := r.Types(ctx); return err }, "types", false},
		{"List", func() error { _, _, err := r.List(ctx, Filter{Type: "invoice", Name: "a"}, 0, 9); return err }, "INDEX documents_", true},
		{"List, failed", func() error { _, _, err := r.List(ctx, Filter{State: Failed}, 0, 9); return err }, "documents_failed", false},
		{"List, stuck", func() error { _, _, err := r.List(ctx, Filter{Stuck: true}, 0, 9); return err }, "documents_trouble", true},
		{"List, in review", func() error { _, _, err := r.List(ctx, Filter{State: Review}, 0, 9); return err }, "documents_review", false},
		{"Summary", func() error { return errOf(r.Summary(ctx, Filter{Since: now})) }, "INDEX documents_", true},
	})
}
