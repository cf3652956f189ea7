package store

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// inAnHour is the end of a pause, in whole milliseconds, as they are stored.
var inAnHour = time.Now().Add(time.Hour).Truncate(time.Millisecond)

// starts are all the situations that a document can be in.
var starts = []struct {
	name string
	make func(t testing.TB, s *Store) int64
}{
	{"waiting", func(t testing.TB, s *Store) int64 { return admit(t, s, found("a", "a")).ID }},
	{"blocked", func(t testing.TB, s *Store) int64 {
		return admit(t, s, Admission{Inbox: inbox, Source: "a", Blocked: "permission denied"}).ID
	}},
	{"equal", func(t testing.TB, s *Store) int64 {
		pending(t, s, found("first", "a"))
		d := must[Document](t)(s.Submitting(ctx, admit(t, s, found("a", "a")).ID, request))
		if d.Phase != PhaseEqual {
			t.Fatalf("it is %s", d.Phase)
		}
		return d.ID
	}},
	{"refused", func(t testing.TB, s *Store) int64 {
		id := submitted(t, s, found("a", "a"))
		check1(t, s.Refused(ctx, id, Refusal{Reason: "503", RetryAt: inAnHour}))
		return id
	}},
	{"given up", func(t testing.TB, s *Store) int64 {
		id := pending(t, s, found("a", "a"))
		must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "1 h", Open: true, RetryAt: inAnHour, MaxAttempts: 9}))
		return id
	}},
	{"failing", failing},
	{"failing, moving", func(t testing.TB, s *Store) int64 { return targeted(t, s, failing(t, s)) }},
	{"submitting", func(t testing.TB, s *Store) int64 { return submitted(t, s, found("a", "a")) }},
	{"pending", func(t testing.TB, s *Store) int64 { return pending(t, s, found("a", "a")) }},
	{"pending, parked", func(t testing.TB, s *Store) int64 {
		id := pending(t, s, found("a", "a"))
		check1(t, s.PollLater(ctx, id, "500", inAnHour, 1))
		return id
	}},
	{"identified", func(t testing.TB, s *Store) int64 { return identified(t, s, found("a", "a"), invoice) }},
	{"identified, moving", func(t testing.TB, s *Store) int64 { return targeted(t, s, identified(t, s, found("a", "a"), invoice)) }},
	{"filed", func(t testing.TB, s *Store) int64 { return filed(t, s, found("a", "a")) }},
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

func failing(t testing.TB, s *Store) int64 {
	a := found("a", "a")
	a.Failure = "unsupported format"
	return admit(t, s, a).ID
}

// targeted gives a document a place to be moved to.
func targeted(t testing.TB, s *Store, id int64) int64 {
	t.Helper()
	must[[]int64](t)(s.Target(ctx, []Targeted{{id, Folder{Path: "/sorted"}, "x/a"}}))
	return id
}

// startAs makes a document in one of these situations.
func startAs(t testing.TB, s *Store, name string) int64 {
	t.Helper()
	for _, start := range starts {
		if start.name == name {
			return start.make(t, s)
		}
	}
	panic(name)
}

func refusing(r Refusal) func(*Store, int64) error {
	return func(s *Store, id int64) error { return s.Refused(ctx, id, r) }
}

func ending(e JobEnd) func(*Store, int64) error {
	return func(s *Store, id int64) error { return errOf(s.JobEnded(ctx, id, e)) }
}

// staleOf makes an error of the documents that a transition left out.
func staleOf(stale []int64, err error) error {
	if len(stale) > 0 {
		return ErrStale
	}
	return err
}

// decide carries out a person's decision.
func decide(s *Store, id int64, kind string) error {
	d := Decision{ID: id, Type: kind, Sorted: "/sorted", Target: kind + "/a", SHA256: hash("a")}
	err := s.Deciding(ctx, d)
	if err == nil {
		err = s.Decided(ctx, Document{ID: id, Type: kind, SHA256: d.SHA256})
	}
	return err
}

// transitions are all of them, with the starts that they are legal from.
var transitions = []struct {
	name  string
	run   func(s *Store, id int64) error
	legal []string
	may   []string // the columns that it may change; it leaves the others alone
	want  map[string]any
	quiet bool // refuses without ErrStale
}{
	{name: "Submitting", may: []string{"state", "submitted_at", "options", "submissions", "resubmissions", "retry_at", "error", "job_abandoned"}, run: func(s *Store, id int64) error { _, err := s.Submitting(ctx, id, request); return err },
		legal: []string{"waiting", "refused", "given up"}},
	{name: "Accepted", may: []string{"state", "job_id", "attempts", "failures", "unnamed", "outcome_unknown", "job_abandoned", "retry_at", "error"}, run: func(s *Store, id int64) error { return s.Accepted(ctx, id, "job") },
		legal: []string{"submitting"},
		want: map[string]any{"state": "pending", "job_id": "job", "attempts": int64(1), "failures": int64(0),
			"outcome_unknown": int64(0), "retry_at": nil, "error": nil, "submissions": int64(1)}},
	{name: "Unnamed", may: []string{"state", "failures", "unnamed", "outcome_unknown", "retry_at", "error"}, run: func(s *Store, id int64) error { return s.Unnamed(ctx, id, "no id", inAnHour) }, legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "failures": int64(1), "unnamed": int64(1), "outcome_unknown": int64(1), "error": "no id"}},
	{name: "Refused", may: []string{"state", "failures", "outcome_unknown", "retry_at", "error"}, run: refusing(Refusal{Reason: "503", RetryAt: inAnHour}), legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "failures": int64(1), "outcome_unknown": int64(0), "error": "503",
			"retry_at": inAnHour.UnixMilli(), "attempts": int64(0)}},
	{name: "Refused, unknown", may: []string{"state", "failures", "outcome_unknown", "retry_at", "error"}, run: refusing(Refusal{Reason: "reset", OutcomeUnknown: true}), legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "failures": int64(1), "outcome_unknown": int64(1), "error": "reset"}},
	{name: "Refused, blameless", may: []string{"state", "outcome_unknown", "retry_at"}, run: refusing(Refusal{Reason: "429", RetryAt: inAnHour, Uncounted: true}), legal: []string{"submitting"},
		want: map[string]any{"state": "waiting", "failures": int64(0), "outcome_unknown": int64(0), "error": nil, "retry_at": nil}},
	{name: "JobEnded", may: []string{"state", "job_abandoned", "retry_at", "error"}, run: ending(JobEnd{Reason: "lost", Open: true, RetryAt: inAnHour, MaxAttempts: 2}), legal: []string{"pending", "pending, parked"},
		want: map[string]any{"state": "waiting", "outcome": nil, "job_abandoned": int64(1), "error": "lost",
			"retry_at": inAnHour.UnixMilli(), "attempts": int64(1)}},
	{name: "JobEnded, last", may: []string{"state", "job_abandoned", "retry_at", "error", "outcome"}, run: ending(JobEnd{Reason: "ERROR: page", RetryAt: inAnHour, MaxAttempts: 1}), legal: []string{"pending", "pending, parked"},
		want: map[string]any{"state": "waiting", "outcome": "failed", "job_abandoned": int64(0), "error": "ERROR: page", "retry_at": nil}},
	{name: "Identified", may: []string{"state", "type", "confidence", "alternatives", "outcome", "identified_at", "error", "retry_at"}, run: func(s *Store, id int64) error { return s.Identified(ctx, id, invoice) },
		legal: []string{"pending", "pending, parked"},
		want: map[string]any{"state": "identified", "phase": "file", "type": int64(1), "confidence": 0.9, "outcome": "filed",
			"alternatives": `[{"code":"other"}]`, "reused": int64(0), "finished_at": nil}},
	{name: "PollLater", may: []string{"retry_at", "error", "polls"}, run: func(s *Store, id int64) error { return s.PollLater(ctx, id, "500", inAnHour.Add(1), 3) },
		legal: []string{"pending", "pending, parked"}, want: map[string]any{"state": "pending", "phase": "poll",
			"error": "500", "retry_at": inAnHour.UnixMilli(), "due": inAnHour.UnixMilli()}},
	{name: "Postponed", may: []string{"retry_at", "error"}, run: func(s *Store, id int64) error { return s.Postponed(ctx, id, "locked", inAnHour.Add(1)) },
		legal: []string{"waiting", "blocked", "equal", "refused", "given up"},
		want:  map[string]any{"state": "waiting", "error": "locked", "retry_at": inAnHour.UnixMilli()}},
	{name: "Failed", may: []string{"state", "outcome", "error", "retry_at", "equal", "failures"}, run: func(s *Store, id int64) error { return s.Failed(ctx, id, "no") },
		legal: []string{"waiting", "blocked", "equal", "refused", "given up", "submitting", "pending", "pending, parked"},
		want: map[string]any{"state": "waiting", "outcome": "failed", "error": "no", "retry_at": nil,
			"equal": int64(0), "finished_at": nil}},
	{name: "Gone", may: []string{"state", "finished_at", "error", "sorted", "target", "equal", "retry_at", "job_abandoned"}, run: func(s *Store, id int64) error { return s.Gone(ctx, id, "deleted") },
		legal: []string{"waiting", "blocked", "equal", "refused", "given up", "failing", "failing, moving",
			"submitting", "pending", "pending, parked", "identified", "identified, moving"},
		want: map[string]any{"state": "gone", "error": "deleted", "sorted": nil, "target": nil, "equal": int64(0), "retry_at": nil}},
	{name: "Target", may: []string{"sorted", "target"}, run: func(s *Store, id int64) error {
		return staleOf(s.Target(ctx, []Targeted{{id, Folder{Path: "/sorted"}, "new/a"}}))
	}, legal: []string{"failing", "failing, moving", "identified", "identified, moving"},
		want: map[string]any{"target": "new/a", "sorted": int64(2)}},
	{name: "Moved", may: []string{"state", "finished_at", "error"}, run: func(s *Store, id int64) error { return staleOf(s.Moved(ctx, []int64{id})) },
		legal: []string{"failing, moving", "identified, moving"}},
	{name: "PuttingBack", may: []string{"put_back"}, run: func(s *Store, id int64) error { return s.PuttingBack(ctx, id, "b") },
		legal: []string{"failed"}, want: map[string]any{"state": "failed", "put_back": "b"}},
	{name: "PutBackChanged", may: []string{"state", "finished_at", "put_back", "outcome", "sorted", "target", "error"},
		run: func(s *Store, id int64) error { return s.PutBackChanged(ctx, id) }, legal: []string{"failed"},
		want: map[string]any{"state": "gone", "put_back": nil, "target": nil}},
	{name: "Decided", may: []string{"state", "outcome", "type", "confidence", "alternatives", "decided_at", "error", "sorted", "target",
		"device", "inode", "size", "modified", "changed", "sha256"},
		run: func(s *Store, id int64) error { return decide(s, id, "receipt") }, legal: []string{"filed", "review", "failed"},
		want: map[string]any{"state": "filed", "outcome": "filed", "confidence": nil, "error": nil, "target": "receipt/a"}},
	{name: "AskAnew", may: []string{"state", "stays_at", "target", "outcome", "finished_at", "attempts_before_retry",
		"device", "inode", "size", "modified", "changed"},
		run: func(s *Store, id int64) error { return s.AskAnew(ctx, id, Identity{}) }, legal: []string{"filed", "review"},
		want: map[string]any{"state": "waiting", "phase": "ready", "stays_at": "x/1", "target": nil}},
	{name: "AsideIn", may: []string{"sorted"}, run: func(s *Store, id int64) error { return s.AsideIn(ctx, []int64{id}, Folder{Path: "/sorted", Inode: 7}) },
		quiet: true, legal: []string{"review", "failed"}},
	{name: "AsideMoved", may: []string{"target"}, run: func(s *Store, id int64) error { return s.AsideMoved(ctx, id, "x/1", "y") },
		legal: []string{"review", "failed"}, want: map[string]any{"target": "y"}},
	{name: "AsideGone", may: []string{"state", "outcome", "sorted", "target", "error"}, run: func(s *Store, id int64) error { return s.AsideGone(ctx, id, "x/1", "") },
		legal: []string{"review", "failed"}, want: map[string]any{"state": "gone", "target": nil}},
	{name: "SetMoveError", may: []string{"error", "retry_at", "failures"}, run: func(s *Store, id int64) error {
		return s.SetMoveError(ctx, id, "folder is read-only", inAnHour)
	}, quiet: true, legal: []string{"failing", "failing, moving", "identified", "identified, moving"},
		want: map[string]any{"failures": int64(1), "retry_at": inAnHour.UnixMilli(), "phase": "file"}},
	{name: "Recover", may: []string{"state", "outcome_unknown", "retry_at", "error", "equal"}, run: func(s *Store, _ int64) error { _, err := s.Recover(ctx); return err }, quiet: true,
		legal: []string{"submitting", "equal"}, want: map[string]any{"state": "waiting", "phase": "ready", "retry_at": nil,
			"equal": int64(0), "failures": int64(0)}},
	{name: "EndPauses", may: []string{"retry_at"}, run: func(s *Store, _ int64) error { _, err := s.EndPauses(ctx, false); return err }, quiet: true,
		legal: []string{"refused", "pending, parked"}},
	{name: "EndPauses, all", may: []string{"retry_at"}, run: func(s *Store, _ int64) error { _, err := s.EndPauses(ctx, true); return err }, quiet: true,
		legal: []string{"refused", "given up", "pending, parked"}},
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
					for column := range after {
						computed := column == "phase" || column == "due" ||
							(column == "trouble_since" || column == "stuck") && slices.Contains(tr.may, "error")
						if before[column] != after[column] && !computed && !slices.Contains(tr.may, column) {
							t.Errorf("%s changed", column)
						}
					}
					for column, want := range tr.want {
						if start.name == "refused" && column == "error" && want == nil {
							continue
						}
						same(t, column, after[column], want)
					}
				})
			}
		})
	}
}
