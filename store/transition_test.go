package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// later is a pause in whole milliseconds, as they are stored.
var later = time.Now().Add(time.Hour).Truncate(time.Millisecond)

// starts are all the situations that a document can be in.
var starts = []struct {
	name string
	make func(t testing.TB, s *Store) int64
}{
	{"waiting", func(t testing.TB, s *Store) int64 { return admit(t, s, found("a", "a")).ID }},
	{"blocked", func(t testing.TB, s *Store) int64 {
		return admit(t, s, Admission{Inbox: inbox, Source: "a", Blocked: "permission denied"}).ID
	}},
	{"following", func(t testing.TB, s *Store) int64 {
		admit(t, s, found("leader", "a"))
		return admit(t, s, found("a", "a")).ID
	}},
	{"refused", func(t testing.TB, s *Store) int64 {
		id := submitted(t, s, found("a", "a"))
		check1(t, s.Refused(ctx, id, Refusal{Reason: "503", RetryAt: later}))
		return id
	}},
	{"given up", func(t testing.TB, s *Store) int64 {
		id := pending(t, s, found("a", "a"))
		must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "1 h", Open: true, RetryAt: later, MaxAttempts: 9}))
		return id
	}},
	{"failing", func(t testing.TB, s *Store) int64 {
		a := found("a", "a")
		a.Failure = "unsupported format"
		return admit(t, s, a).ID
	}},
	{"failing, moving", func(t testing.TB, s *Store) int64 {
		a := found("a", "a")
		a.Failure = "unsupported format"
		id := admit(t, s, a).ID
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, "/sorted", "_failed/a"}}))
		return id
	}},
	{"submitting", func(t testing.TB, s *Store) int64 { return submitted(t, s, found("a", "a")) }},
	{"pending", func(t testing.TB, s *Store) int64 { return pending(t, s, found("a", "a")) }},
	{"identified", func(t testing.TB, s *Store) int64 { return identified(t, s, found("a", "a"), invoice) }},
	{"identified, moving", func(t testing.TB, s *Store) int64 {
		id := identified(t, s, found("a", "a"), invoice)
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, "/sorted", "invoice/a"}}))
		return id
	}},
	{"filed", func(t testing.TB, s *Store) int64 {
		id := identified(t, s, found("a", "a"), invoice)
		move(t, s, id)
		return id
	}},
	{"review", func(t testing.TB, s *Store) int64 {
		id := identified(t, s, found("a", "a"), Answer{Type: "invoice", Confidence: 0.1, Outcome: Review})
		move(t, s, id)
		return id
	}},
	{"failed", func(t testing.TB, s *Store) int64 {
		id := pending(t, s, found("a", "a"))
		check1(t, s.Failed(ctx, id, "no"))
		move(t, s, id)
		return id
	}},
	{"gone", func(t testing.TB, s *Store) int64 {
		id := pending(t, s, found("a", "a"))
		check1(t, s.Gone(ctx, id, "deleted"))
		return id
	}},
}

// transitions are all of them, with the starts that they are legal from and the
// columns that they may then change.
var transitions = []struct {
	name  string
	run   func(s *Store, id int64) error
	legal []string
	want  map[string]any // nil: checked to have changed only
	quiet bool           // refuses without ErrStale
}{
	{name: "Submitting", run: func(s *Store, id int64) error { return s.Submitting(ctx, id, options) },
		legal: []string{"waiting", "refused", "given up"}, want: map[string]any{"state": "submitting"}},
	{name: "Accepted", run: func(s *Store, id int64) error { return s.Accepted(ctx, id, "job") },
		legal: []string{"submitting"},
		want: map[string]any{"state": "pending", "job_id": "job", "attempts": int64(1), "refusals": int64(0),
			"unknown": int64(0), "retry_at": nil, "error": nil, "submissions": int64(1)}},
	{name: "Refused", run: func(s *Store, id int64) error {
		return s.Refused(ctx, id, Refusal{Reason: "503", RetryAt: later})
	}, legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "refusals": int64(1), "unknown": int64(0), "error": "503",
			"retry_at": later.UnixMilli(), "attempts": int64(0)}},
	{name: "Refused, unknown", run: func(s *Store, id int64) error {
		return s.Refused(ctx, id, Refusal{Reason: "reset", Unknown: true})
	}, legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "refusals": int64(1), "unknown": int64(1), "error": "reset", "retry_at": nil}},
	{name: "Refused, blameless", run: func(s *Store, id int64) error {
		return s.Refused(ctx, id, Refusal{Reason: "429", RetryAt: later, Blameless: true})
	}, legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "refusals": int64(0), "unknown": int64(0), "error": nil, "retry_at": nil}},
	{name: "JobEnded", run: func(s *Store, id int64) error {
		_, err := s.JobEnded(ctx, id, JobEnd{Reason: "lost", Open: true, RetryAt: later, MaxAttempts: 2})
		return err
	}, legal: []string{"pending"},
		want: map[string]any{"state": "waiting", "outcome": nil, "job_open": int64(1), "error": "lost",
			"retry_at": later.UnixMilli(), "attempts": int64(1)}},
	{name: "JobEnded, last", run: func(s *Store, id int64) error {
		_, err := s.JobEnded(ctx, id, JobEnd{Reason: "ERROR: page", RetryAt: later, MaxAttempts: 1})
		return err
	}, legal: []string{"pending"},
		want: map[string]any{"state": "waiting", "outcome": "failed", "job_open": int64(0), "error": "ERROR: page", "retry_at": nil}},
	{name: "Identified", run: func(s *Store, id int64) error { return s.Identified(ctx, id, invoice) },
		legal: []string{"pending"},
		want: map[string]any{"state": "identified", "type": "invoice", "confidence": 0.9, "outcome": "filed",
			"alternatives": `[{"code":"other"}]`, "reused": int64(0), "finished_at": nil}},
	{name: "IdentifiedLate", run: func(s *Store, id int64) error { return s.IdentifiedLate(ctx, id, invoice) },
		legal: []string{"given up"},
		want: map[string]any{"state": "identified", "type": "invoice", "outcome": "filed", "reused": int64(0),
			"job_open": int64(0), "retry_at": nil, "error": nil}},
	{name: "Postponed", run: func(s *Store, id int64) error { return s.Postponed(ctx, id, "locked", later.Add(1)) },
		legal: []string{"waiting", "blocked", "following", "refused", "given up"},
		want:  map[string]any{"state": "waiting", "error": "locked", "retry_at": later.UnixMilli()}},
	{name: "Failed", run: func(s *Store, id int64) error { return s.Failed(ctx, id, "no") },
		legal: []string{"waiting", "blocked", "following", "refused", "given up", "submitting", "pending"},
		want: map[string]any{"state": "waiting", "outcome": "failed", "error": "no", "retry_at": nil,
			"waits_for": nil, "finished_at": nil}},
	{name: "Gone", run: func(s *Store, id int64) error { return s.Gone(ctx, id, "deleted") },
		legal: []string{"waiting", "blocked", "following", "refused", "given up", "failing", "failing, moving",
			"submitting", "pending", "identified", "identified, moving"},
		want: map[string]any{"state": "gone", "error": "deleted", "sorted": nil, "target": nil, "waits_for": nil, "retry_at": nil}},
	{name: "Target", run: func(s *Store, id int64) error {
		stale, err := s.Target(ctx, []Targeted{{id, "/sorted", "new/a"}})
		if len(stale) == 1 && stale[0] == id {
			return ErrStale
		}
		return err
	}, legal: []string{"failing", "failing, moving", "identified", "identified, moving"},
		want: map[string]any{"target": "new/a", "sorted": int64(2)}},
	{name: "Moved", run: func(s *Store, id int64) error { return s.Moved(ctx, []int64{id}) }, quiet: true,
		legal: []string{"failing, moving", "identified, moving"}},
	{name: "Waits", run: func(s *Store, id int64) error { return s.Waits(ctx, id, "folder is read-only") }, quiet: true,
		legal: []string{"identified", "identified, moving"}, want: map[string]any{"error": "folder is read-only"}},
	{name: "Recover", run: func(s *Store, _ int64) error { _, err := s.Recover(ctx); return err }, quiet: true,
		legal: []string{"submitting"}, want: map[string]any{"state": "waiting", "unknown": int64(1), "retry_at": nil,
			"submissions": int64(1), "refusals": int64(0)}},
	{name: "RetryNow", run: func(s *Store, _ int64) error { _, err := s.RetryNow(ctx); return err }, quiet: true,
		legal: []string{"refused"}, want: map[string]any{"state": "waiting", "refusals": int64(1)}},
	{name: "RetryAll", run: func(s *Store, _ int64) error { _, err := s.RetryAll(ctx); return err }, quiet: true,
		legal: []string{"refused", "given up"}, want: map[string]any{"state": "waiting"}},
	{name: "Adopt", run: func(s *Store, id int64) error { _, _, err := s.Adopt(ctx, id, options); return err }, quiet: true},
}

func TestTransitionsFromEveryStart(t *testing.T) {
	for _, tr := range transitions {
		t.Run(tr.name, func(t *testing.T) {
			for _, start := range starts {
				t.Run(start.name, func(t *testing.T) {
					s := openNew(t)
					id := start.make(t, s)
					before := row(t, s, id)
					err := tr.run(s, id)
					after := row(t, s, id)
					if !slices.Contains(tr.legal, start.name) {
						if !tr.quiet && !errors.Is(err, ErrStale) {
							t.Errorf("error is %v, want ErrStale", err)
						}
						if d := diff(before, after); len(d) > 0 || (tr.quiet && err != nil) {
							t.Errorf("an illegal transition changed %q (error %v)", d, err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if len(diff(before, after)) == 0 {
						t.Error("nothing changed")
					}
					for column, want := range tr.want {
						if start.name == "refused" && column == "error" && want == nil {
							continue
						}
						if after[column] != want {
							t.Errorf("%s = %v, want %v", column, after[column], want)
						}
					}
				})
			}
		})
	}
}

// What a transition leaves alone: everything that it is not about.
func TestTransitionsChangeNothingElse(t *testing.T) {
	may := map[string][]string{
		"Submitting":         {"state", "submitted_at", "options", "submissions", "resubmissions"},
		"Accepted":           {"state", "job_id", "attempts", "refusals", "unknown", "job_open", "retry_at", "error"},
		"Refused":            {"state", "refusals", "unknown", "retry_at", "error"},
		"Refused, unknown":   {"state", "refusals", "unknown", "retry_at", "error"},
		"Refused, blameless": {"state", "unknown", "retry_at"},
		"JobEnded":           {"state", "job_open", "retry_at", "error"},
		"JobEnded, last":     {"state", "job_open", "retry_at", "error", "outcome"},
		"Identified":         {"state", "type", "confidence", "alternatives", "outcome", "identified_at", "error"},
		"IdentifiedLate": {"state", "type", "confidence", "alternatives", "outcome", "identified_at", "job_open",
			"retry_at", "error"},
		"Postponed": {"retry_at", "error"},
		"Failed":    {"state", "outcome", "error", "retry_at", "waits_for"},
		"Gone":      {"state", "finished_at", "error", "sorted", "target", "waits_for", "retry_at", "job_open"},
		"Target":    {"sorted", "target"},
		"Moved":     {"state", "finished_at", "error"},
		"Waits":     {"error"},
		"Recover":   {"state", "unknown", "retry_at", "error"},
		"RetryNow":  {"retry_at"},
		"RetryAll":  {"retry_at"},
	}
	for _, tr := range transitions {
		for _, start := range starts {
			if !slices.Contains(tr.legal, start.name) {
				continue
			}
			s := openNew(t)
			id := start.make(t, s)
			before := row(t, s, id)
			check1(t, tr.run(s, id))
			after := row(t, s, id)
			for column := range after {
				if before[column] != after[column] && !slices.Contains(may[tr.name], column) {
					t.Errorf("%s from %s changed %s", tr.name, start.name, column)
				}
			}
		}
	}
}

// A job that was given up answers for the documents that wait for it, too.
func TestLateAnswerIsSharedByFollowers(t *testing.T) {
	s := openNew(t)
	leader, first, second := follow(t, s)
	must[Document](t)(s.JobEnded(ctx, leader, JobEnd{Reason: "1 h", Open: true, RetryAt: later, MaxAttempts: 9}))
	check1(t, s.IdentifiedLate(ctx, leader, invoice))
	for _, id := range []int64{leader, first, second} {
		if d := doc(t, s, id); d.State != Identified || d.Reused != (id != leader) || d.WaitsFor != 0 || !d.RetryAt.IsZero() {
			t.Errorf("%+v", d)
		}
	}
}

func TestMovedEndsByOutcome(t *testing.T) {
	s := openNew(t)
	filed := identified(t, s, found("a", "a"), invoice)
	review := identified(t, s, found("b", "b"), Answer{Type: "invoice", Confidence: 0.2, Outcome: Review})
	failed := pending(t, s, found("c", "c"))
	check1(t, s.Failed(ctx, failed, "no type"))
	check1(t, s.Waits(ctx, filed, "read-only"))
	move(t, s, filed, review, failed)
	for id, want := range map[int64]struct {
		state State
		err   string
	}{filed: {Filed, ""}, review: {Review, ""}, failed: {Failed, "no type"}} {
		d := doc(t, s, id)
		if d.State != want.state || d.Error != want.err || d.FinishedAt.IsZero() || d.Sorted != "/sorted" ||
			d.Target != fmt.Sprintf("x/%d", id) {
			t.Errorf("document %d: %s, %q, finished %v, at %s/%s", id, d.State, d.Error, d.FinishedAt, d.Sorted, d.Target)
		}
	}
}

func TestTargetLeavesOutOnlyTheStale(t *testing.T) {
	s := openNew(t)
	good := identified(t, s, found("a", "a"), invoice)
	bad := pending(t, s, found("b", "b"))
	stale := must[[]int64](t)(s.Target(ctx, []Targeted{{bad, "/s", "b"}, {good, "/s", "a"}, {99, "/s", "c"}}))
	if !slices.Equal(stale, []int64{bad, 99}) {
		t.Errorf("stale = %d", stale)
	}
	if d := doc(t, s, good); d.Target != "a" {
		t.Errorf("the good one has target %q", d.Target)
	}
	if stale := must[[]int64](t)(s.Target(ctx, []Targeted{{bad, "/s", "a"}})); len(stale) != 1 || doc(t, s, good).Target != "a" {
		t.Errorf("a stale document took the target of another")
	}
}

// What was to be moved to a place before the daemon ended has no claim to it
// once another document is to go there.
func TestTargetIsMeantForOneDocument(t *testing.T) {
	s := openNew(t)
	one, two := identified(t, s, found("a", "a"), invoice), identified(t, s, found("b", "b"), invoice)
	for _, id := range []int64{one, two} {
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, "/s", "invoice/a"}}))
	}
	if a, b := doc(t, s, one), doc(t, s, two); a.Target != "" || a.Sorted != "" || b.Target != "invoice/a" {
		t.Errorf("targets %q and %q", a.Target, b.Target)
	}
	must[[]int64](t)(s.Target(ctx, []Targeted{{one, "/elsewhere", "invoice/a"}}))
	if err := s.Moved(ctx, []int64{one, two}); err != nil {
		t.Fatal(err)
	}
	if a, b := doc(t, s, one), doc(t, s, two); a.State != Filed || b.State != Filed {
		t.Errorf("states %s and %s", a.State, b.State)
	}
}
