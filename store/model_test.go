package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// modelDoc is a document as this test understands it.
type modelDoc struct {
	source, content string
	state           State
	outcome         State
	equal           bool
	target          string
	unknown         bool
	attempts        int
	answered        bool // by the service, not by an equal document
	job             string
	submitted       int // a number that grows
	abandoned       int
}

// phase is what the database must compute.
func (d *modelDoc) phase() Phase {
	switch {
	case d.state.Finished():
		return ""
	case d.outcome != "":
		return PhaseFile
	case d.state == Submitting:
		return PhaseSubmit
	case d.state == Pending:
		return PhasePoll
	case d.equal:
		return PhaseEqual
	}
	return PhaseReady
}

// machine runs random transitions against a store and against a few lines of Go.
type machine struct {
	s    *Store
	docs map[int64]*modelDoc
	jobs int

	posts int
}

func (m *machine) any(t *rapid.T) (int64, *modelDoc) {
	if len(m.docs) == 0 {
		t.Skip("no document yet")
	}
	id := rapid.Int64Range(1, int64(len(m.docs))).Draw(t, "doc")
	return id, m.docs[id]
}

// expect compares whether a transition was taken with whether it was legal.
func expect(t *rapid.T, err error, legal bool) bool {
	if legal && err != nil || !legal && !errors.Is(err, ErrStale) {
		t.Fatalf("error is %v; legal: %v", err, legal)
	}
	return legal
}

func (m *machine) at(source string) int64 {
	for id, d := range m.docs {
		if d.source == source && !d.state.Finished() {
			return id
		}
	}
	return 0
}

// alike returns the other documents of the same content in some phases, by id.
func (m *machine) alike(id int64, phases ...Phase) (all []int64) {
	for other := int64(1); other <= int64(len(m.docs)); other++ {
		o := m.docs[other]
		if other != id && o.content == m.docs[id].content && slices.Contains(phases, o.phase()) {
			all = append(all, other)
		}
	}
	return all
}

// release makes the first of those that wait for a content ready.
func (m *machine) release(id int64) {
	if waiting := m.alike(id, PhaseEqual); len(waiting) > 0 {
		m.docs[waiting[0]].equal = false
	}
}

func (m *machine) gone(id int64) {
	d := m.docs[id]
	if d.state == Pending {
		d.abandoned = 1
	} else if d.abandoned != 1 {
		d.abandoned = 0
	}
	d.state, d.target, d.equal = Gone, "", false
	m.release(id)
}

func (m *machine) Admit(t *rapid.T) {
	source := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "source")
	content := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "content")
	known := m.at(source)
	got, err := m.s.Admit(ctx, found(source, content))
	if known != 0 && m.docs[known].target != "" {
		if !errors.Is(err, ErrMoving) {
			t.Fatalf("error is %v, want ErrMoving", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if known != 0 && m.docs[known].content == content {
		if got.New || got.ID != known {
			t.Fatalf("known as %d, admitted as %+v", known, got)
		}
		return
	}
	if known != 0 {
		m.gone(known)
	}
	d := &modelDoc{source: source, content: content, state: Waiting}
	for _, o := range m.docs {
		if o.content == content && o.answered {
			d.state, d.outcome = Identified, Filed
		}
	}
	if !got.New || got.Replaced != known || got.ID != int64(len(m.docs))+1 {
		t.Fatalf("a new one admitted as %+v, replacing %d", got, known)
	}
	m.docs[got.ID] = d
}

func (m *machine) Submit(t *rapid.T) {
	id, d := m.any(t)
	got, err := m.s.Submitting(ctx, id, request)
	if !expect(t, err, d.phase() == PhaseReady) {
		return
	}
	from := int64(0) // whose job can be taken over: the newest one
	for other := int64(1); other <= int64(len(m.docs)); other++ {
		o := m.docs[other]
		if o.content == d.content && (o.state == Gone || o.phase() == PhaseReady) && o.abandoned == 1 && o.state != Identified &&
			o.outcome == "" && (from == 0 || o.submitted >= m.docs[from].submitted) {
			from = other
		}
	}
	answered := false
	for _, o := range m.docs {
		answered = answered || o.content == d.content && o.answered
	}
	switch {
	case d.abandoned == 1:
		d.state, d.abandoned = Pending, 2
	case answered:
		d.state, d.outcome = Identified, Filed
		m.release(id)
	case from != 0:
		o := m.docs[from]
		d.state, d.job, d.submitted, d.unknown, d.abandoned = Pending, o.job, o.submitted, false, 0
		if o.state != Gone {
			d.abandoned = 2
		}
		d.attempts++
		o.abandoned = 0
	case len(m.alike(id, PhaseSubmit, PhasePoll)) > 0:
		d.equal = true
	default:
		m.posts++
		d.state, d.submitted = Submitting, m.posts
	}
	if got.Phase != d.phase() {
		t.Fatalf("document %d is in phase %s, want %s", id, got.Phase, d.phase())
	}
}

func (m *machine) Accept(t *rapid.T) {
	id, d := m.any(t)
	m.jobs++
	job := fmt.Sprint("job", m.jobs)
	_, err := m.s.Accepted(ctx, id, job)
	if expect(t, err, d.state == Submitting) {
		d.state, d.job, d.unknown, d.abandoned = Pending, job, false, 0
		d.attempts++
	}
}

func (m *machine) Refuse(t *rapid.T) {
	id, d := m.any(t)
	unknown := rapid.Bool().Draw(t, "outcome_unknown")
	err := m.s.Refused(ctx, id, Refusal{Reason: "r", OutcomeUnknown: unknown, Uncounted: rapid.Bool().Draw(t, "blameless")})
	if expect(t, err, d.state == Submitting) {
		d.state, d.unknown = Waiting, d.unknown || unknown
		m.release(id)
	}
}

func (m *machine) fail(id int64) {
	d := m.docs[id]
	judged := d.state == Submitting || d.state == Pending
	waiting := m.alike(id, PhaseEqual)
	d.state, d.outcome, d.equal = Waiting, Failed, false
	if !judged {
		m.release(id)
		return
	}
	for _, other := range m.alike(id, PhaseReady) {
		if m.docs[other].attempts > 0 {
			waiting = append(waiting, other)
		}
	}
	for _, other := range waiting {
		m.docs[other].outcome, m.docs[other].equal = Failed, false
	}
}

func (m *machine) EndJob(t *rapid.T) {
	id, d := m.any(t)
	open := rapid.Bool().Draw(t, "open")
	share := rapid.Bool().Draw(t, "share")
	_, err := m.s.JobEnded(ctx, id, JobEnd{Reason: "e", MaxAttempts: 2, Open: open, Share: share})
	if !expect(t, err, d.state == Pending) {
		return
	}
	if open && d.abandoned == 0 {
		d.abandoned = 1
	} else {
		d.abandoned = 0
	}
	attempts := d.attempts
	if share {
		for _, other := range m.alike(id, PhaseReady, PhaseEqual, PhaseSubmit, PhasePoll, PhaseFile) {
			attempts += m.docs[other].attempts
		}
	}
	if attempts >= 2 {
		m.fail(id)
		return
	}
	d.state = Waiting
	m.release(id)
}

func (m *machine) Identify(t *rapid.T) {
	id, d := m.any(t)
	a := invoice
	a.Share = rapid.Bool().Draw(t, "share")
	_, err := m.s.Identified(ctx, id, a)
	if !expect(t, err, d.state == Pending) {
		return
	}
	waiting := m.alike(id, PhaseReady, PhaseEqual)
	d.state, d.outcome, d.answered, d.abandoned = Identified, Filed, true, 0
	if !a.Share {
		m.release(id)
		return
	}
	for _, other := range waiting {
		o := m.docs[other]
		o.state, o.outcome, o.equal, o.abandoned = Identified, Filed, false, 0
	}
}

func (m *machine) Fail(t *rapid.T) {
	id, d := m.any(t)
	if expect(t, m.s.Failed(ctx, id, "f"), !d.state.Finished() && d.outcome == "") {
		m.fail(id)
	}
}

func (m *machine) Postpone(t *rapid.T) {
	id, d := m.any(t)
	if expect(t, m.s.Postponed(ctx, id, "p", inAnHour), d.state == Waiting && d.outcome == "") {
		m.release(id)
	}
}

func (m *machine) Go(t *rapid.T) {
	id, d := m.any(t)
	if expect(t, m.s.Gone(ctx, id, "g"), !d.state.Finished()) {
		m.gone(id)
	}
}

func (m *machine) Target(t *rapid.T) {
	id, d := m.any(t)
	place := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "target")
	stale, err := m.s.Target(ctx, []Targeted{{id, "/sorted", place}})
	legal := d.outcome != "" && !d.state.Finished()
	if err != nil || legal != (len(stale) == 0) {
		t.Fatalf("stale %d, error %v; legal: %v", stale, err, legal)
	}
	if !legal {
		return
	}
	for _, other := range m.docs {
		if other.target == place && !other.state.Finished() {
			other.target = ""
		}
	}
	d.target = place
}

func (m *machine) Move(t *rapid.T) {
	id, d := m.any(t)
	if err := m.s.Moved(ctx, []int64{id}); err != nil {
		t.Fatal(err)
	}
	if d.target != "" && !d.state.Finished() {
		d.state = d.outcome
	}
}

func (m *machine) Restart(t *rapid.T) {
	if err := m.s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, Config{Path: m.s.path})
	if err != nil {
		t.Fatal(err)
	}
	m.s = s
	if _, err := s.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	for _, d := range m.docs {
		if d.state == Submitting {
			d.state, d.unknown = Waiting, true
		}
		d.equal = false
	}
}

// Check compares every document, and what the queue says of all of them.
func (m *machine) Check(t *rapid.T) {
	count := make(map[Phase]int)
	for id, want := range m.docs {
		d, err := m.s.Document(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if d.State != want.state || d.Outcome != want.outcome || d.Phase != want.phase() ||
			d.OutcomeUnknown != want.unknown || d.Attempts != want.attempts || d.JobID != want.job ||
			d.JobAbandoned != (want.abandoned == 1) || d.AskedAgain != (want.abandoned == 2) {
			t.Fatalf("document %d is %+v\nwant %+v", id, d, *want)
		}
		count[d.Phase]++
		// What waits for an equal document is not forgotten.
		if d.Phase == PhaseEqual && len(m.alike(id, PhaseReady, PhaseSubmit, PhasePoll)) == 0 {
			t.Fatalf("document %d waits for nothing", id)
		}
	}
	for _, phase := range []Phase{PhaseReady, PhaseEqual, PhaseSubmit, PhasePoll, PhaseFile} {
		got, err := m.s.Due(ctx, phase, inAnHour, 1000)
		if err != nil || len(got) != count[phase] {
			t.Fatalf("%d in phase %s, want %d: %v", len(got), phase, count[phase], err)
		}
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := Open(ctx, Config{Path: quickFolder(t) + "/docusort.db"})
		if err != nil {
			rt.Fatal(err)
		}
		m := &machine{s: s, docs: make(map[int64]*modelDoc)}
		defer func() { m.s.Close() }()
		rt.Repeat(rapid.StateMachineActions(m))
	})
}
