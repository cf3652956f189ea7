package store

import (
	"errors"
	"fmt"

	"pgregory.net/rapid"
)

// What the machine of the model test does.

func (m *machine) Admit(t *rapid.T) {
	source := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "source")
	content := fmt.Sprint(m.answers + rapid.IntRange(-1, 0).Draw(t, "content")) // mostly one without an answer
	known := m.at(source)
	got, err := m.s.Admit(ctx, found(source, content))
	if known != 0 && m.docs[known].target != "" {
		if !errors.Is(err, ErrMoving) {
			t.Fatalf("error is %v, want ErrMoving", err)
		}
		return
	}
	check1(t, err)
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
		if o.content == d.content && (o.state == Gone || o.phase() == PhaseReady) && o.abandoned == 1 &&
			(from == 0 || o.submitted >= m.docs[from].submitted) {
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
	err := m.s.Accepted(ctx, id, job)
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
	err := m.s.Identified(ctx, id, a)
	if !expect(t, err, d.state == Pending) {
		return
	}
	m.answers++
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
	stale, err := m.s.Target(ctx, []Targeted{{id, Folder{Path: "/sorted"}, place}})
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
	legal := d.target != "" && !d.state.Finished()
	stale, err := m.s.Moved(ctx, []int64{id})
	if err != nil || legal != (len(stale) == 0) {
		t.Fatalf("stale %d, error %v; legal: %v", stale, err, legal)
	}
	if legal {
		d.state = d.outcome
	}
}
