package pipeline

import (
	"container/heap"
	"context"
	"slices"
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

// job is one job in flight. What is not the scheduler's own is written by the
// goroutine that asks, and read when that has ended.
type job struct {
	doc      store.Document
	due      time.Time // the scheduler's
	asked    int       // times since this process took it up; the scheduler's
	suspect  bool      // the scheduler's
	since    time.Time // the service is waited for; the scheduler's
	troubled bool      // the service was asked, and could not answer
	denied   bool      // the service said that it is not ours
	lost     bool      // the service did not know it when last asked
	ended    bool
	took     time.Duration // by the service's clock; 0: it did not say
}

// waiting says of a job that the service is waited for, or not any more.
type waiting struct {
	job *job
	is  bool
}

// scheduler knows when which job is to be asked for.
type scheduler struct {
	p              *Pipeline
	pace           pace
	jobs, suspects jobHeap
	asking         int // requests under way, without
	doubted        int // those for suspects
	requests       errgroup.Group
	unanswered     []*job // no suspects, the longest first
	waits          chan waiting
	results        chan *job
}

func (s *scheduler) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		s.suspectUnanswered(now)
		for next := s.next(); next != nil && !(*next)[0].due.After(now); next = s.next() {
			s.ask(ctx, heap.Pop(next).(*job))
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
		case w := <-s.waits:
			s.waited(w, time.Now())
		case j := <-s.results:
			s.told(j, time.Now())
		case <-s.p.pulses.poll:
		case <-ctx.Done():
		}
	}
	for s.asking+s.doubted > 0 {
		select {
		case <-s.waits:
		case j := <-s.results:
			s.leave(j)
		}
	}
}

// next returns the queue with the first job that there is a place for.
func (s *scheduler) next() (q *jobHeap) {
	if len(s.jobs) > 0 && s.asking+min(s.doubted, suspectPollers) < pollers {
		q = &s.jobs
	}
	if len(s.suspects) > 0 && s.doubted < suspectPollers && s.asking+s.doubted < pollers &&
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
	if len(s.unanswered) > 0 && s.doubted < mostSuspects {
		if suspect := s.unanswered[0].since.Add(s.pace.min); at.IsZero() || suspect.Before(at) {
			at = suspect
		}
	}
	return at
}

// add schedules the first question for a job.
func (s *scheduler) add(doc store.Document, now time.Time) {
	due := doc.SubmittedAt.Add(s.pace.first())
	if due.Before(now) {
		due = now
	}
	heap.Push(&s.jobs, &job{doc: doc, due: due})
}

func (s *scheduler) ask(ctx context.Context, j *job) {
	if j.suspect {
		s.doubted++
	} else {
		s.asking++
	}
	s.requests.Go(func() error {
		j.troubled = false
		j.ended = s.p.poll(ctx, j, func(is bool) { s.waits <- waiting{j, is} })
		s.results <- j
		return nil
	})
}

// waited keeps which jobs the service is waited for.
func (s *scheduler) waited(w waiting, now time.Time) {
	if w.job.since = now; w.is && !w.job.suspect {
		s.unanswered = append(s.unanswered, w.job)
	} else {
		s.unanswered = slices.DeleteFunc(s.unanswered, func(j *job) bool { return j == w.job })
	}
}

// suspectUnanswered takes the places of questions that wait for longer than the
// shortest time between two: others would be asked by now.
func (s *scheduler) suspectUnanswered(now time.Time) {
	for len(s.unanswered) > 0 && s.doubted < mostSuspects && now.Sub(s.unanswered[0].since) >= s.pace.min {
		s.unanswered[0].suspect = true
		s.unanswered = s.unanswered[1:]
		s.asking--
		s.doubted++
	}
}

// leave gives the place of a job back.
func (s *scheduler) leave(j *job) {
	if j.suspect {
		s.doubted--
	} else {
		s.asking--
	}
}

// told schedules the next question, or lets go of a job that has ended.
func (s *scheduler) told(j *job, now time.Time) {
	s.leave(j)
	age := now.Sub(j.doc.SubmittedAt)
	if !j.ended {
		j.asked++
		j.due = now.Add(s.pace.next(max(age, 0)))
		if j.suspect = j.troubled; j.suspect {
			heap.Push(&s.suspects, j)
		} else {
			heap.Push(&s.jobs, j)
		}
		return
	}
	s.p.freeSlot()
	if j.took <= 0 {
		return
	}
	before := s.pace.first()
	s.pace.learn(j.took)
	if first := s.pace.first(); first < before {
		s.pullForward(first)
	}
}

// pullForward lets the jobs that were not asked for yet be asked for earlier,
// where jobs turn out to take less time than they did.
func (s *scheduler) pullForward(first time.Duration) {
	for _, j := range s.jobs {
		if due := j.doc.SubmittedAt.Add(first); j.asked == 0 && due.Before(j.due) {
			j.due = due
		}
	}
	heap.Init(&s.jobs)
}

// jobHeap orders jobs by when they are due; see container/heap.
type jobHeap []*job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h jobHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(*job)) }
func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return j
}
