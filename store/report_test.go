package store

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// randomRow draws any document that the schema's CHECKs allow, whether
// transitions lead to it or not, and returns what stores it.
func randomRow(t *rapid.T, i int) func(*tx) error {
	state := rapid.SampledFrom(States()).Draw(t, "state")
	discovered := rapid.Int64Range(1, 50).Draw(t, "discovered")
	var finished, confidence, outcome, failure, target, sorted, identified any
	var kind string
	if state.Finished() {
		finished = rapid.Int64Range(0, 99).Draw(t, "finished") // also before: the clock was set back
	}
	typed := state == Identified || state == Filed || state == Review || rapid.Bool().Draw(t, "typed")
	if typed {
		kind = rapid.SampledFrom([]string{"invoice", "receipt", "x"}).Draw(t, "type")
		confidence, identified = rapid.Float64Range(0.01, 1).Draw(t, "confidence"), 1
		if rapid.IntRange(0, 9).Draw(t, "rated") == 0 {
			confidence = nil
		}
	}
	switch state {
	case Filed, Review, Failed:
		outcome, target, sorted = string(state), "x", 1
	case Identified:
		outcome = "filed"
	}
	if rapid.Bool().Draw(t, "error") {
		failure = rapid.SampledFrom([]string{"a", "b", "c\nd"}).Draw(t, "reason")
	}
	small := rapid.IntRange(0, 3)
	args := []any{fmt.Sprint("doc", i), string(state), discovered, identified, finished, small.Draw(t, "n"), small.Draw(t, "n"),
		small.Draw(t, "n"), rapid.IntRange(0, 1).Draw(t, "reused"), confidence, outcome, sorted, target, failure}
	return func(tx *tx) error {
		var number any
		if kind != "" {
			id, err := tx.typeNumber(kind)
			if err != nil {
				return err
			}
			number = id
		}
		_, err := tx.exec(`INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, sha256,
				discovered_at, identified_at, finished_at, job_id, submissions, resubmissions, polls, reused,
				confidence, outcome, sorted, target, error, type)
			VALUES (1, ?1, ?2, 0, 0, 0, 0, 0, zeroblob(32), ?3, ?4, ?5, ?1, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
			append(args, number)...)
		return err
	}
}

func matches(d Document, f Filter) bool {
	named := strings.Contains(d.Source, strings.ToLower(f.Name)) || strings.Contains(d.Target, strings.ToLower(f.Name)) ||
		f.Name == fmt.Sprint(d.ID)
	return (f.State == "" || d.State == f.State) && (f.Type == "" || d.Type == f.Type) && named && !(f.Unfinished && d.State.Finished()) &&
		(!d.State.Finished() || f.Since.IsZero() || !d.FinishedAt.Before(f.Since))
}

// naive computes a summary from the documents, one by one.
func naive(all []Document, f Filter) Summary {
	s := Summary{Totals: make(map[State]int)}
	for _, state := range States() {
		s.Totals[state] = 0
	}
	types := make(map[string][]Document)
	failures, troubles := make(map[string]int), make(map[string]int)
	var took []time.Duration
	for _, d := range all {
		if !matches(d, f) {
			continue
		}
		s.Totals[d.State]++
		s.Requests.Submissions += d.Submissions
		s.Requests.Resubmissions += d.Resubmissions
		s.Requests.Polls += d.Polls
		if d.Reused {
			s.Requests.Reused++
		}
		if !d.State.Finished() {
			if s.Oldest.IsZero() || d.DiscoveredAt.Before(s.Oldest) {
				s.Oldest = d.DiscoveredAt
			}
			if d.Error != "" {
				troubles[d.Error]++
			}
		}
		switch d.State {
		case Filed, Review:
			types[d.Type] = append(types[d.Type], d)
			took = append(took, max(d.FinishedAt.Sub(d.DiscoveredAt), 0))
		case Failed:
			failures[d.Error]++
		}
	}
	for kind, docs := range types {
		c := TypeCount{Type: kind}
		for _, d := range docs {
			if d.State == Filed {
				c.Filed++
			} else {
				c.Review++
			}
			if d.Confidence > 0 {
				c.Rated++
				c.MeanConfidence += d.Confidence
			}
		}
		c.MeanConfidence /= float64(max(c.Rated, 1))
		s.Types = append(s.Types, c)
	}
	slices.SortFunc(s.Types, func(a, b TypeCount) int {
		return cmp.Or(b.Filed-a.Filed, b.Review-a.Review, cmp.Compare(a.Type, b.Type))
	})
	s.Failures, s.Troubles = sorted(failures), sorted(troubles)
	s.Latency = latencyOf(took)
	return s
}

func latencyOf(took []time.Duration) *Latency {
	n := len(took)
	if n == 0 {
		return nil
	}
	slices.Sort(took)
	at := func(p float64) time.Duration { return took[int(math.Ceil(p*float64(n)/100))-1] }
	return &Latency{P50: at(50), P95: at(95), Max: took[n-1]}
}

func sorted(counts map[string]int) (all []Reason) {
	for reason, n := range counts {
		all = append(all, Reason{reason, n})
	}
	slices.SortFunc(all, func(a, b Reason) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Reason, b.Reason)) })
	return all
}

func TestSummaryAgainstANaiveOne(t *testing.T) {
	s := openNew(t)
	check1(t, s.write(ctx, func(tx *tx) error { _, err := tx.folder(Folder{Path: "/sorted"}); return err }))
	rapid.Check(t, func(rt *rapid.T) {
		randomRecord(rt, s, func(r *Reader, all []Document) { compareSummary(rt, r, all) })
	})
}

func compareSummary(rt *rapid.T, r *Reader, all []Document) {
	f := Filter{
		State:      rapid.SampledFrom(append(States(), "", "", "")).Draw(rt, "filter state"),
		Type:       rapid.SampledFrom([]string{"", "", "invoice"}).Draw(rt, "filter type"),
		Unfinished: rapid.IntRange(0, 3).Draw(rt, "unfinished") == 0,
		Name:       rapid.SampledFrom([]string{"", "", "", "DOC1", "x", "_", "%"}).Draw(rt, "filter name"),
	}
	if since := rapid.Int64Range(-50, 99).Draw(rt, "since"); since > 0 {
		f.Since = time.UnixMilli(since)
	}
	var shown, wanted []int64
	err := r.Documents(ctx, f, func(d *Document) error { shown = append(shown, d.ID); return nil })
	for _, d := range all {
		if matches(d, f) {
			wanted = append(wanted, d.ID)
		}
	}
	if err != nil || !slices.Equal(shown, wanted) {
		rt.Errorf("documents %d, want %d: %v", shown, wanted, err)
	}
	if len(all) > 0 { // the error of a function is given as it is, at once
		enough := errors.New("enough")
		n := 0
		if err := r.Documents(ctx, Filter{}, func(*Document) error { n++; return enough }); err != enough || n != 1 {
			rt.Errorf("stopped after %d with %v", n, err)
		}
	}
	compareList(rt, r, f, wanted)
	got, err := r.Summary(ctx, f)
	check1(rt, err)
	want := naive(all, f)
	for i := range min(len(got.Types), len(want.Types)) {
		if math.Abs(got.Types[i].MeanConfidence-want.Types[i].MeanConfidence) > 1e-6 {
			rt.Errorf("mean confidence %v, want %v", got.Types[i], want.Types[i])
		}
		got.Types[i].MeanConfidence = want.Types[i].MeanConfidence
	}
	if !reflect.DeepEqual(got, want) {
		rt.Errorf("filter %+v\n got %+v %+v\nwant %+v %+v", f, got, got.Latency, want, want.Latency)
	}
}

// compareList goes through the pages of a list.
func compareList(rt *rapid.T, r *Reader, f Filter, wanted []int64) {
	size := rapid.IntRange(1, 7).Draw(rt, "documents on a page")
	var ids []int64
	last := time.Unix(1<<40, 0)
	for {
		docs, total, err := r.List(ctx, f, len(ids), size)
		check1(rt, err)
		if total != len(wanted) || len(docs) != min(size, total-len(ids)) {
			rt.Fatalf("%d of %d documents after %d, want %d in all", len(docs), total, len(ids), len(wanted))
		}
		for _, d := range docs {
			ids = append(ids, d.ID)
			at := d.FinishedAt
			if !d.State.Finished() {
				at = time.Unix(1<<30+d.ID, 0)
			}
			if at.After(last) {
				rt.Errorf("document %d is too late in the list", d.ID)
			}
			last = at
		}
		if len(ids) == total {
			break
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, wanted) {
		rt.Errorf("listed %d, want %d", ids, wanted)
	}
}

func TestHold(t *testing.T) {
	s := openNew(t)
	daemon := func() Daemon { return daemonOf(t, s) }
	if d := daemon(); !d.Running || d.PID != 0 || d.Hold != nil {
		t.Errorf("before it started: %+v", d)
	}
	check1(t, s.Started(ctx, 7))
	until := inAnHour
	for _, kind := range []HoldKind{HoldAccount, HoldDisk, HoldService, HoldRate} {
		check1(t, s.SetHold(ctx, &Hold{Kind: kind, Reason: "because", Since: until.Add(-time.Hour), Until: until}))
		if h := daemon().Hold; h == nil || h.Kind != kind || h.Reason != "because" || !h.Until.Equal(until) ||
			!h.Since.Equal(until.Add(-time.Hour)) {
			t.Errorf("hold %+v", h)
		}
	}
	check1(t, s.SetHold(ctx, &Hold{Kind: HoldDisk, Reason: "full"}))
	if h := daemon().Hold; h == nil || time.Since(h.Since) > time.Minute || !h.Until.IsZero() {
		t.Errorf("without times: %+v", h)
	}
	check1(t, s.Stopped(ctx))
	check1(t, s.Started(ctx, 8)) // an earlier daemon's hold is none of this one's
	if d := daemon(); d.Hold != nil || d.PID != 8 || d.StartedAt.IsZero() || !d.StoppedAt.IsZero() {
		t.Errorf("started again: %+v", d)
	}
	check1(t, s.SetHold(ctx, &Hold{Kind: HoldDisk, Reason: "full"}))
	check1(t, s.SetHold(ctx, nil))
	same(t, "hold that ended", daemon().Hold, nil)
	check1(t, s.Stopped(ctx))
	check1(t, s.Close())
	if d := daemon(); d.Running || d.StoppedAt.IsZero() || d.PID != 8 {
		t.Errorf("stopped: %+v", d)
	}
}
