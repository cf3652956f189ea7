package pipeline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"docusort/store"
)

// Jobs that wait for a question are asked for earlier once others turn out to take
// less time, but not before that is known.
func TestQuestionsArePulledForward(t *testing.T) {
	l := newRehearsal()
	s := l.scheduler
	s.pace.remember(slices.Repeat([]time.Duration{25 * time.Second}, 2*remembered))
	for id := range int64(2) {
		s.add(store.Document{ID: id, SubmittedAt: l.now}, l.now)
		l.now = l.now.Add(time.Second)
	}
	if wait := s.nextDue().Sub(l.now); wait < time.Second {
		t.Fatalf("asked for after %v anyway", wait)
	}
	for range 2 * remembered {
		s.learn(&job{began: l.now.Add(-time.Second), due: l.now, said: finished, took: time.Second}, l.now)
	}
	same(t, "jobs", len(s.jobs), 2)
	for _, j := range s.jobs {
		if wait := j.due.Sub(l.now); wait < 0 || wait > time.Second/2 {
			t.Errorf("job %d is asked for after %v", j.doc.ID, wait)
		}
	}
}

// One that is not answered for tells nothing, and is asked for at growing intervals.
func TestJobThatIsNotAnsweredFor(t *testing.T) {
	l := newRehearsal()
	s := l.scheduler
	s.add(store.Document{ID: 1, SubmittedAt: l.now}, l.now)
	var gaps []time.Duration
	for range 40 {
		at := s.nextDue()
		gaps, l.now = append(gaps, at.Sub(l.now)), at
		j := s.take(at)
		j.troubled, j.said = true, nothing
		s.told(j, at)
	}
	for i, gap := range gaps[20:] {
		if gap < min(3*gaps[i]/2, 2*s.p.PollMax/3) { // they grow in steps, so neighbours may not
			t.Errorf("intervals of %v", gaps)
			break
		}
	}
	same(t, "learned", s.pace.known+s.pace.fresh, 0)
}

// Jobs from before the start, of which nobody knows when they ended, tell nothing
// unless the service says it, and a clock that went wrong delays none.
func TestJobsOfAnEarlierRun(t *testing.T) {
	for _, c := range []struct {
		age, took time.Duration
		learned   int
	}{{72 * time.Hour, 0, 0}, {72 * time.Hour, time.Minute, 1}, {-72 * time.Hour, 0, 1}} {
		t.Run(fmt.Sprint(c.age, c.took), func(t *testing.T) {
			l := newRehearsal()
			s := l.scheduler
			s.add(store.Document{ID: 1, SubmittedAt: l.now.Add(-c.age)}, l.now)
			if wait := s.nextDue().Sub(l.now); wait > 2*s.pace.min {
				t.Fatalf("asked for after %v", wait)
			}
			l.now = later(l.now, s.nextDue())
			j := s.take(l.now)
			j.over, j.said, j.took = true, finished, c.took
			s.told(j, l.now)
			same(t, "learned", s.pace.known+s.pace.fresh, c.learned)
		})
	}
}
