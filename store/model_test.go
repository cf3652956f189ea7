package store

import (
	"errors"
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
	s                    *Store
	docs                 map[int64]*modelDoc
	jobs, posts, answers int
}

// any draws an unfinished document, or the newest of all.
func (m *machine) any(t *rapid.T) (int64, *modelDoc) {
	if len(m.docs) == 0 {
		t.Skip("no document yet")
	}
	var ids []int64
	for id := int64(1); id <= int64(len(m.docs)); id++ {
		if !m.docs[id].state.Finished() || id == int64(len(m.docs)) {
			ids = append(ids, id)
		}
	}
	id := rapid.SampledFrom(ids).Draw(t, "doc")
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

func (m *machine) Restart(t *rapid.T) {
	check1(t, m.s.Close())
	s, err := Open(ctx, Config{Path: m.s.path})
	check1(t, err)
	m.s = s
	check1(t, errOf(s.Recover(ctx)))
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
		check1(t, err)
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
		check1(rt, err)
		m := &machine{s: s, docs: make(map[int64]*modelDoc)}
		defer func() { m.s.Close() }()
		rt.Repeat(rapid.StateMachineActions(m))
	})
}
