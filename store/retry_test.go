package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// failedAfter fails a document after some jobs, the last of which is given up
// open or not.
func failedAfter(t testing.TB, s *Store, a Admission, jobs int, open bool) int64 {
	t.Helper()
	id := admit(t, s, a).ID
	for n := range jobs {
		submit(t, s, id)
		check1(t, s.Accepted(ctx, id, fmt.Sprintf("job-%d-%d", id, n)))
		must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "too slow", Open: open && n == jobs-1, MaxAttempts: jobs}))
	}
	move(t, s, id)
	if d := doc(t, s, id); d.State != Failed || d.JobAbandoned != open {
		t.Fatalf("document %d is %s, its job open %v", id, d.State, d.JobAbandoned)
	}
	return id
}

var again = Identity{Device: 7, Inode: 8, Size: 9, ModTime: 10, ChangeTime: 11}

func TestPutBackGoesOnWithTheRecord(t *testing.T) {
	s := openNew(t)
	a := found("a", "a")
	id := failedAfter(t, s, a, 3, true)
	is(t, "put back without a place", s.PutBack(ctx, id, inbox, again), ErrStale)
	check1(t, s.PuttingBack(ctx, id, "a-2"))
	if d := doc(t, s, id); d.State != Failed || d.PutBack != "a-2" || d.Target == "" {
		t.Errorf("on its way it is %s, to %q, at %q", d.State, d.PutBack, d.Target)
	}
	check1(t, s.PutBack(ctx, id, inbox, again))
	d := doc(t, s, id)
	if d.State != Waiting || d.Source != "a-2" || d.Outcome != "" || d.Target != "" || d.Sorted != "" || d.Error != "" ||
		!d.FinishedAt.IsZero() || d.Identity != again || d.Attempts != 3 || d.Phase != PhaseAdmit || d.PutBack == "" {
		t.Errorf("put back: %+v", d)
	}
	same(t, "ready before it was looked at", len(due(t, s, PhaseReady)), 0)
	same(t, "known before it was looked at", must[bool](t)(s.Known(ctx, "a-2", again)), false)
	is(t, "submitted before it was looked at", errOf(s.Submitting(ctx, id, request)), ErrStale)
	a.Source, a.Identity = "a-2", again
	got := must[Admitted](t)(s.Admit(ctx, a))
	if got.ID != id || got.New || got.PutBack != "" || got.Attempts != 3 || got.Phase != PhaseReady {
		t.Errorf("admitted: %+v", got)
	}
	for _, err := range []error{s.PutBack(ctx, id, inbox, again), s.PuttingBack(ctx, id, "b"), s.PutBackChanged(ctx, id)} {
		is(t, "of one that waits", err, ErrStale)
	}
}

func TestRetriedDocumentAsksItsOpenJobFirst(t *testing.T) {
	back := func(t *testing.T, open bool, codes []string) (*Store, int64) {
		s := openNew(t)
		id := failedAfter(t, s, found("a", "a"), 2, open)
		a := found("b", "a")
		a.AsideMatches, a.Options = []int64{id}, codes
		if got := must[Admitted](t)(s.Admit(ctx, a)); got.ID != id || !got.Continued || got.Source != "b" {
			t.Fatalf("admitted: %+v", got)
		}
		return s, id
	}
	s, id := back(t, true, options)
	if d := ask(t, s, id, request); d.State != Pending || d.JobID != fmt.Sprintf("job-%d-1", id) {
		t.Errorf("the open job was not given back: %+v", d)
	}
	d := must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "too slow", Open: true, MaxAttempts: 2}))
	if d.State != Waiting || d.Outcome != "" || d.JobAbandoned {
		t.Errorf("after it was asked again: %+v", d)
	}
	for n := range 2 { // a whole new allowance
		submit(t, s, id)
		check1(t, s.Accepted(ctx, id, fmt.Sprint("new-", n)))
		d = must[Document](t)(s.JobEnded(ctx, id, JobEnd{Reason: "ERROR", MaxAttempts: 2}))
	}
	if d.Outcome != Failed || d.Attempts != 4 || !strings.Contains(d.Error, "4 jobs") || d.Resubmissions != 3 {
		t.Errorf("after its new allowance: %+v", d)
	}
	s, id = back(t, false, options)
	submit(t, s, id) // the job ended
	s, id = back(t, true, []string{"letter"})
	if doc(t, s, id).JobAbandoned {
		t.Error("with other options the job is kept")
	}
}

// A failed document that is back goes by an answer like every other one.
func TestContinuedDocuments(t *testing.T) {
	s := openNew(t)
	failed := failedAfter(t, s, found("a", "same"), 1, false)
	filed(t, s, found("b", "same"))
	a := found("a", "same")
	a.AsideMatches = []int64{99, failed}
	if d := admit(t, s, a); d.ID != failed || d.State != Identified || !d.Reused {
		t.Errorf("with an answer: %+v", d)
	}
	a.Failure = "unsupported format"
	a.Source, a.AsideMatches = "e", []int64{failedAfter(t, s, found("e", "text"), 1, false)}
	if d := admit(t, s, a); d.ID != a.AsideMatches[0] || d.Outcome != Failed || d.Error != a.Failure || d.PutBack != "" {
		t.Errorf("what is still unsupported: %+v", d)
	}
	a = found("f", "race") // it has gone on already
	a.AsideMatches = []int64{failed}
	if got := must[Admitted](t)(s.Admit(ctx, a)); !got.New || got.Continued {
		t.Errorf("one that no longer failed: %+v", got)
	}
}

// reviewed admits a document and takes it to review.
func reviewed(t testing.TB, s *Store, a Admission) int64 {
	t.Helper()
	unsure := invoice
	unsure.Outcome = Review
	id := identified(t, s, a, unsure)
	move(t, s, id)
	return id
}

// A document in review that is back in the inbox goes on with the answer that it has, if
// that is to the same question, and judged by what decides now. Its copies have it too.
func TestReviewedDocumentsGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Admission)
		state  State
		will   State
	}{
		"same":          {func(*Admission) {}, Identified, Filed},
		"still unsure":  {func(a *Admission) { a.Outcome = func(float64) State { return Review } }, Identified, Review},
		"other options": {func(a *Admission) { a.Options = []string{"letter"} }, Waiting, ""},
		"no reuse":      {func(a *Admission) { a.ReuseWithin = 0 }, Waiting, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t)
			id := reviewed(t, s, found("a", "a"))
			check1(t, s.do(ctx, `UPDATE documents SET identified_at = identified_at - 1000 WHERE id = ?`, id))
			was := doc(t, s, id)
			a := found("b", "a")
			a.AsideMatches = []int64{id}
			c.change(&a)
			got := must[Admitted](t)(s.Admit(ctx, a))
			if got.ID != id || !got.Continued || got.New || got.State != c.state || got.Outcome != c.will || got.Reused || got.Target != "" {
				t.Fatalf("it is %+v", got)
			}
			if c.state == Waiting {
				if got.Type != "" || !got.IdentifiedAt.IsZero() || got.Confidence != 0 || got.Phase != PhaseReady {
					t.Errorf("it has the answer to another question: %+v", got)
				}
				return
			}
			same(t, "identified", got.IdentifiedAt, was.IdentifiedAt)
			move(t, s, id)
			if d := admit(t, s, found("c", "a")); d.Type != "invoice" || !d.Reused {
				t.Errorf("a copy is %+v", d)
			}
		})
	}
}

// While a person's decision is carried out, no file of the inbox is taken for the document.
func TestDecidedDocumentsDoNotGoOn(t *testing.T) {
	s := openNew(t)
	id := reviewed(t, s, found("a", "a"))
	check1(t, s.Deciding(ctx, Decision{ID: id, Type: "receipt", Sorted: "/sorted", Target: "receipt/a", SHA256: hash("a")}))
	same(t, "matches", len(must[[]Document](t)(s.AsideMatches(ctx, "a", hash("a"), Identity{}))), 0)
	a := found("a", "a")
	a.AsideMatches = []int64{id} // found before the decision
	if got := must[Admitted](t)(s.Admit(ctx, a)); got.ID == id {
		t.Errorf("it is %+v", got)
	}
}

func TestAsideMatches(t *testing.T) {
	s := openNew(t)
	one := failedAfter(t, s, found("one", "same"), 1, false)
	two := failedAfter(t, s, found("longer", "same"), 1, false)
	failedAfter(t, s, found("other", "other"), 1, false)
	admit(t, s, found("waits", "same"))
	alike := func(source string, sum []byte, id Identity) (ids []int64) {
		for _, d := range must[[]Document](t)(s.AsideMatches(ctx, source, sum, id)) {
			ids = append(ids, d.ID)
		}
		return ids
	}
	if got := alike("x", hash("same"), Identity{}); !slices.Equal(got, []int64{two, one}) {
		t.Errorf("newest first: %d", got)
	}
	if got := alike("one", hash("same"), Identity{}); !slices.Equal(got, []int64{one, two}) {
		t.Errorf("its place first: %d", got)
	}
	if got := alike("longer", hash("same"), found("one", "same").Identity); !slices.Equal(got, []int64{one, two}) {
		t.Errorf("the very file first: %d", got)
	}
	empty := found("empty", "")
	empty.SHA256, empty.Failure = nil, "the file is empty"
	id := admit(t, s, empty).ID
	move(t, s, id)
	if got := alike("y", nil, empty.Identity); !slices.Equal(got, []int64{id}) {
		t.Errorf("never read: %d", got)
	}
	empty.Identity.ModTime++
	same(t, "of another time", len(alike("y", nil, empty.Identity)), 0)
}

// Two write at once: each waits for the other, none fails, nothing is lost.
func TestSharedStoreBesideTheDaemon(t *testing.T) {
	if _, err := OpenShared(ctx, Config{Path: filepath.Join(quickFolder(t), "docusort.db")}); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("without a database: %v", err)
	}
	s := openNew(t)
	var ids []int64
	for i := range 50 {
		ids = append(ids, failedAfter(t, s, found(fmt.Sprint("failed", i), fmt.Sprint("failed", i)), 1, false))
	}
	shared := must[*Store](t)(OpenShared(ctx, Config{Path: s.path}))
	if _, err := OpenShared(ctx, Config{Path: s.path}); !errors.Is(err, ErrShared) {
		t.Errorf("a second one: %v", err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		for i, id := range ids {
			if err := errors.Join(shared.PuttingBack(ctx, id, fmt.Sprint("back", i)), shared.PutBack(ctx, id, inbox, again)); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 200 {
		admit(t, s, found(fmt.Sprint("new", i), fmt.Sprint("new", i)))
	}
	both.Wait()
	check1(t, shared.Close())
	same(t, "documents wait", must[map[State]int](t)(s.Counts(ctx))[Waiting], 250)
	synctest.Test(t, func(t *testing.T) { // see lock: the second lock was of this whole process
		if _, err := Open(ctx, Config{Path: s.path}); !errors.Is(err, ErrRunning) {
			t.Errorf("the daemon's lock: %v", err)
		}
	})
	check1(t, must[*Store](t)(OpenShared(ctx, Config{Path: s.path})).Close())
}
