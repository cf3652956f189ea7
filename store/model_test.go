package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// modelDoc is a document as this test understands it.
type modelDoc struct {
	source, content string
	state           State
	outcome         State
	follows         int64
	target          string
	unknown         bool
	attempts        int
	job             string
}

// machine runs random transitions against a store and against a few lines of Go.
type machine struct {
	s    *Store
	docs map[int64]*modelDoc
	jobs int
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

func (m *machine) followers(leader int64) (all []int64) {
	for id := int64(1); id <= int64(len(m.docs)); id++ {
		if m.docs[id].follows == leader {
			all = append(all, id)
		}
	}
	return all
}

func (m *machine) gone(id int64) {
	d := m.docs[id]
	d.state, d.target, d.follows = Gone, "", 0
	heirs := m.followers(id)
	for i, f := range heirs {
		m.docs[f].follows = heirs[0]
		if i == 0 {
			m.docs[f].follows = 0
		}
	}
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
	for id := int64(1); id <= int64(len(m.docs)); id++ {
		o := m.docs[id]
		if o.content != content {
			continue
		}
		if o.job == "answered" {
			d.state, d.outcome, d.follows = Identified, Filed, 0
			break
		}
		if d.follows == 0 && !o.state.Finished() && o.outcome == "" && o.follows == 0 {
			d.follows = id
		}
	}
	if !got.New || got.Replaced != known || got.ID != int64(len(m.docs))+1 {
		t.Fatalf("a new one admitted as %+v, replacing %d", got, known)
	}
	m.docs[got.ID] = d
}

func (m *machine) Submit(t *rapid.T) {
	id, d := m.any(t)
	err := m.s.Submitting(ctx, id, options)
	if expect(t, err, d.state == Waiting && d.outcome == "" && d.follows == 0) {
		d.state = Submitting
	}
}

func (m *machine) Accept(t *rapid.T) {
	id, d := m.any(t)
	m.jobs++
	job := fmt.Sprint("job", m.jobs)
	if expect(t, m.s.Accepted(ctx, id, job), d.state == Submitting) {
		d.state, d.job, d.unknown = Pending, job, false
		d.attempts++
	}
}

func (m *machine) Refuse(t *rapid.T) {
	id, d := m.any(t)
	unknown := rapid.Bool().Draw(t, "unknown")
	err := m.s.Refused(ctx, id, Refusal{Reason: "r", Unknown: unknown, Blameless: rapid.Bool().Draw(t, "blameless")})
	if expect(t, err, d.state == Submitting) {
		d.state, d.unknown = Waiting, d.unknown || unknown
	}
}

func (m *machine) fail(id int64) {
	d := m.docs[id]
	d.state, d.outcome, d.follows = Waiting, Failed, 0
	for _, f := range m.followers(id) {
		m.docs[f].outcome, m.docs[f].follows = Failed, 0
	}
}

func (m *machine) EndJob(t *rapid.T) {
	id, d := m.any(t)
	_, err := m.s.JobEnded(ctx, id, JobEnd{Reason: "e", MaxAttempts: 2})
	if expect(t, err, d.state == Pending) {
		d.state = Waiting
		if d.attempts >= 2 {
			m.fail(id)
		}
	}
}

func (m *machine) Identify(t *rapid.T) {
	id, d := m.any(t)
	if expect(t, m.s.Identified(ctx, id, invoice), d.state == Pending) {
		d.state, d.outcome, d.job = Identified, Filed, "answered"
		for _, f := range m.followers(id) {
			o := m.docs[f]
			o.state, o.outcome, o.follows = Identified, Filed, 0
		}
	}
}

func (m *machine) Fail(t *rapid.T) {
	id, d := m.any(t)
	if expect(t, m.s.Failed(ctx, id, "f"), !d.state.Finished() && d.outcome == "") {
		m.fail(id)
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
	}
}

// Check compares every document, and what the queue says of all of them.
func (m *machine) Check(t *rapid.T) {
	submittable := 0
	for id, want := range m.docs {
		d, err := m.s.Document(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if d.State != want.state || d.Outcome != want.outcome || d.WaitsFor != want.follows ||
			d.Unknown != want.unknown || d.Attempts != want.attempts {
			t.Fatalf("document %d is %+v\nwant %+v", id, d, *want)
		}
		if want.state == Waiting && want.outcome == "" && want.follows == 0 {
			submittable++
		}
	}
	got, err := m.s.Submittable(ctx, time.Now(), 1000)
	if err != nil || len(got) != submittable {
		t.Fatalf("%d submittable, want %d: %v", len(got), submittable, err)
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
