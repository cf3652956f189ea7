package pipeline

import (
	"container/heap"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// Places for requests that ask for jobs. A job whose question failed last time,
// or is not answered soon, is a suspect: suspects have half of the places at most,
// so that what the service does not answer keeps no other job from being asked for.
// Several that turn out to be suspects at the same time may be more than that.
const (
	pollers        = 8
	suspectPollers = pollers / 2
	mostSuspects   = 3 * pollers
)

// scheduler knows when which job is to be asked for.
type scheduler struct {
	p              *Pipeline
	pace           *pace
	jobs, suspects jobHeap
	asking         int // requests under way, without
	doubted        int // those for suspects
	requests       errgroup.Group
	begun          time.Time    // questions under way count from here
	unanswered     []*job       // no suspects
	look           time.Time    // when one of those may have become one; zero: none may
	passed         signal       // a question that was watched for passed the gate
	storing        atomic.Int64 // questions under way that are answered: they need no place
	answered       signal       // there are more of them
	results        chan *job
}

func newScheduler(p *Pipeline) *scheduler {
	return &scheduler{
		p: p, pace: newPace(p.PollMin, p.PollMax), begun: time.Now(),
		passed: newSignal(), answered: newSignal(), results: make(chan *job, pollers+mostSuspects),
	}
}

func (s *scheduler) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		s.suspectUnanswered(now)
		for j := s.take(now); j != nil; j = s.take(now) {
			s.ask(ctx, j)
		}
		var due <-chan time.Time // nil: nothing is due before something else happens
		if at := s.nextDue(); !at.IsZero() {
			timer.Reset(at.Sub(now))
			due = timer.C
		}
		select {
		case <-due:
		case doc := <-s.p.accepted:
			s.add(doc, time.Now())
		case <-s.passed:
			s.look = s.begun
		case <-s.answered:
		case j := <-s.results:
			s.told(j, time.Now())
		case <-s.p.pulses.poll:
		case <-ctx.Done():
		}
	}
	for s.asking+s.doubted > 0 {
		s.leave(<-s.results)
	}
}

// next returns the queue with the first job that there is a place for.
func (s *scheduler) next() (q *jobHeap) {
	places := pollers + int(s.storing.Load())
	if len(s.jobs) > 0 && s.asking+min(s.doubted, suspectPollers) < places {
		q = &s.jobs
	}
	if len(s.suspects) > 0 && s.doubted < suspectPollers && s.asking+s.doubted < places &&
		(q == nil || s.suspects[0].due.Before(s.jobs[0].due)) {
		q = &s.suspects
	}
	return q
}

// nextDue is when there is something to do without being told.
func (s *scheduler) nextDue() (at time.Time) {
	if next := s.next(); next != nil {
		at = (*next)[0].due
	}
	if !s.look.IsZero() && (at.IsZero() || s.look.Before(at)) {
		at = s.look
	}
	return at
}

// add schedules the first question for a job.
func (s *scheduler) add(doc store.Document, now time.Time) {
	j := &job{doc: doc, began: now.Add(-max(now.Sub(doc.SubmittedAt), 0))}
	j.due = s.due(j)
	heap.Push(&s.jobs, j)
}

// due is when a job is to be asked for, by what is known now.
func (s *scheduler) due(j *job) time.Time { return j.began.Add(s.pace.after(j.asked)) }

// take returns a job that is to be asked for now, nil where there is none. What was
// learned since the job got its turn may have made it too early.
func (s *scheduler) take(now time.Time) *job {
	for next := s.next(); next != nil && !(*next)[0].due.After(now); next = s.next() {
		j := (*next)[0]
		if due := s.due(j); due.After(now) {
			j.due = due
			heap.Fix(next, 0)
			continue
		}
		heap.Pop(next)
		j.awaited.Store(atGate)
		if j.suspect {
			s.doubted++
		} else {
			s.asking++
			s.unanswered = append(s.unanswered, j)
			if s.look.IsZero() {
				s.look = now.Add(s.pace.min)
			}
		}
		return j
	}
	return nil
}

func (s *scheduler) ask(ctx context.Context, j *job) {
	s.requests.Go(func() error {
		j.troubled, j.said = false, nothing
		passed := func() {
			j.sent = time.Since(j.began)
			if j.awaited.passes(time.Since(s.begun)) {
				s.passed.wake()
			}
		}
		storing := false
		j.over = s.p.poll(ctx, j, passed, func() {
			storing = true
			s.storing.Add(1)
			s.answered.wake()
		})
		if storing {
			s.storing.Add(-1)
		}
		s.results <- j
		return nil
	})
}

// suspectUnanswered takes the places of questions that wait for longer than the
// shortest time between two: others would be asked by now. It decides when to look
// again: there is no need to look at questions that wait at the gate.
func (s *scheduler) suspectUnanswered(now time.Time) {
	if s.look.IsZero() || now.Before(s.look) {
		return
	}
	s.look = time.Time{}
	s.unanswered = slices.DeleteFunc(s.unanswered, func(j *job) bool {
		if s.doubted >= mostSuspects {
			return false
		}
		since := j.awaited.waits()
		if since == 0 {
			return false
		}
		suspect := s.begun.Add(since + s.pace.min)
		if j.suspect = !suspect.After(now); j.suspect {
			s.asking--
			s.doubted++
		} else if s.look.IsZero() || suspect.Before(s.look) {
			s.look = suspect
		}
		return j.suspect
	})
}

// leave gives the place of a job back.
func (s *scheduler) leave(j *job) {
	if j.suspect {
		if s.doubted == mostSuspects {
			s.look = s.begun // there is room for another
		}
		s.doubted--
		return
	}
	s.asking--
	i := slices.Index(s.unanswered, j)
	s.unanswered = slices.Delete(s.unanswered, i, i+1)
	if len(s.unanswered) == 0 {
		s.look = time.Time{}
	}
}

// told learns from an answer, and schedules the next question or lets go of a job
// that is over.
func (s *scheduler) told(j *job, now time.Time) {
	s.leave(j)
	age := now.Sub(j.began)
	s.learn(j, now)
	if j.over {
		s.p.freeSlot()
		return
	}
	j.asked = age
	j.due = s.due(j)
	if j.suspect = j.troubled; j.suspect {
		heap.Push(&s.suspects, j)
	} else {
		heap.Push(&s.jobs, j)
	}
}

// learn takes in what an answer tells of how long jobs take. The service's own
// times are believed where they fit what was seen here: the job ended after it was
// last known to be unfinished. Otherwise it ended between the two questions; where
// the second was long in coming that says nothing.
func (s *scheduler) learn(j *job, now time.Time) {
	age := now.Sub(j.began)
	switch j.said {
	case nothing:
		return
	case unfinished:
		s.pace.unfinished(j.known, j.sent)
		j.known = max(j.known, j.sent)
	case finished:
		planned := j.due.Sub(j.began)
		switch {
		case j.took > j.known && j.took <= age:
			s.pace.learn(j.known, j.took)
			s.pace.seen(j.took, planned)
		case age-planned <= planned-j.known:
			ended := j.known + (age-j.known)/2
			s.pace.learn(j.known, ended)
			s.pace.seen(ended, planned)
		default:
			return
		}
	}
	if s.pace.behind(len(s.jobs)) && s.pace.choose() {
		s.pullForward(now)
	}
}

// pullForward lets the jobs whose turn is earlier, by what is known now, be asked
// for earlier, but not before now: what is due is what is planned. Those whose turn is
// later are found when it would have come.
func (s *scheduler) pullForward(now time.Time) {
	for _, j := range s.jobs {
		due := s.due(j)
		if due.Before(now) {
			due = now
		}
		if due.Before(j.due) {
			j.due = due
		}
	}
	heap.Init(&s.jobs)
}
