package pipeline

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// pollers is how many jobs are asked for at the same time.
const pollers = 8

// pollAll asks for every job in flight until it ends. One goroutine owns the
// heap of due times; the requests are made by others.
func (p *Pipeline) pollAll(ctx context.Context, pending []store.Document) error {
	s := scheduler{
		p: p, pace: pace{min: p.PollMin, max: p.PollMax},
		results: make(chan *job), free: pollers,
	}
	took, err := asked(ctx, p, p.pulses.poll, func(ctx context.Context) ([]time.Duration, error) {
		return p.Store.JobTimes(ctx, len(s.pace.recent))
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("how long jobs took: %w", err)
	}
	for _, d := range took {
		s.pace.learn(d)
	}
	for _, doc := range pending {
		s.add(doc, time.Now())
	}
	s.requests.SetLimit(pollers)
	s.run(ctx)
	return s.requests.Wait()
}

// job is one job in flight.
type job struct {
	doc    store.Document
	due    time.Time
	asked  int  // times since this process took it up
	denied bool // the service said that it is not ours
	lost   bool // the service did not know it when last asked
	ended  bool
	took   time.Duration // by the service's clock; 0: it did not say
}

// scheduler knows when which job is to be asked for.
type scheduler struct {
	p        *Pipeline
	pace     pace
	jobs     jobHeap
	free     int // requests that may be begun
	requests errgroup.Group
	results  chan *job
}

func (s *scheduler) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		for s.free > 0 && len(s.jobs) > 0 && !s.jobs[0].due.After(now) {
			s.ask(ctx, heap.Pop(&s.jobs).(*job))
		}
		var due <-chan time.Time // nil: nothing is due before something else happens
		if s.free > 0 && len(s.jobs) > 0 {
			timer.Reset(s.jobs[0].due.Sub(now))
			due = timer.C
		}
		select {
		case <-due:
		case doc := <-s.p.accepted:
			s.add(doc, time.Now())
		case j := <-s.results:
			s.free++
			s.asked(j, time.Now())
		case <-s.p.pulses.poll:
		case <-ctx.Done():
		}
	}
	for s.free < pollers {
		<-s.results
		s.free++
	}
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
	s.free--
	s.requests.Go(func() error {
		j.ended = s.p.poll(ctx, j)
		s.results <- j
		return nil
	})
}

// asked schedules the next question, or lets go of a job that has ended.
func (s *scheduler) asked(j *job, now time.Time) {
	age := now.Sub(j.doc.SubmittedAt)
	if !j.ended {
		j.asked++
		j.due = now.Add(s.pace.next(max(age, 0)))
		heap.Push(&s.jobs, j)
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

// poll asks for one job, and stores what the answer changes. It says whether the
// job has ended, for us.
func (p *Pipeline) poll(ctx context.Context, j *job) bool {
	permit, err := p.gate.enter(ctx, request{doc: j.doc.ID})
	if err != nil {
		return false
	}
	status, err := p.Service.Status(ctx, j.doc.JobID)
	if ctx.Err() != nil {
		p.gate.abandon(permit)
		return false
	}
	p.Store.Polled(j.doc.ID)
	if e := errorOf(err); e != nil && e.StatusCode == 403 {
		if j.denied && !p.gate.denied() {
			// Something else was allowed since: it is this job alone.
			p.gate.abandon(permit)
			return p.overdue(ctx, j, e.Reason())
		}
		j.denied = true
	}
	v := p.gate.done(permit, err)
	log := p.log.With("doc", j.doc.ID, "path", j.doc.Source, "job_id", j.doc.JobID)
	switch {
	case v == lost && j.lost:
		return p.jobEnded(ctx, j, store.JobEnd{Reason: "the service does not know the job any more"})
	case v == lost:
		j.lost = true // a service of many parts may not know yet what it just accepted: ask once more
		return false
	case err != nil:
		log.Debug("poll", "err", err)
		if v == notAtFault || p.gate.holding() {
			return false
		}
		return p.overdue(ctx, j, fmt.Sprintf("the job could not be asked for within %s: %s", p.JobTimeout, errorOf(err).Reason()))
	}
	j.lost, j.denied = false, false
	log.Debug("poll", "state", status.State)
	switch status.State {
	case docutray.Succeeded:
		j.took = status.Responded.Sub(status.Requested)
		if status.Requested.IsZero() || status.Responded.IsZero() {
			j.took = time.Since(j.doc.SubmittedAt)
		}
		return p.identified(ctx, j, status)
	case docutray.Failed:
		return p.jobEnded(ctx, j, store.JobEnd{Reason: "the service could not identify it: " + orNoReason(status.Error)})
	}
	return p.overdue(ctx, j, fmt.Sprintf("the job did not end within %s", p.JobTimeout))
}

func orNoReason(s string) string {
	if s == "" {
		return "it gave no reason"
	}
	return s
}

// identified stores the answer.
func (p *Pipeline) identified(ctx context.Context, j *job, s docutray.Status) bool {
	err := p.storeAnswer(ctx, &j.doc, s, p.Store.Identified)
	return err == nil || errors.Is(err, store.ErrStale)
}

// storeAnswer stores the type of a document by one of the ways that there are.
func (p *Pipeline) storeAnswer(ctx context.Context, doc *store.Document, s docutray.Status, as func(context.Context, int64, store.Answer) error) error {
	a := store.Answer{
		Type: s.Type.Code, Confidence: s.Type.Confidence, Outcome: p.outcome(s.Type.Confidence),
		Alternatives: alternatives(s.Alternatives),
	}
	p.reached(Answered)
	if err := p.durable(ctx, func(ctx context.Context) error { return as(ctx, doc.ID, a) }); err != nil {
		p.transitionFailed(doc, "identified", err)
		return err
	}
	p.reached(IdentifiedStored)
	p.log.Info("document identified", "doc", doc.ID, "path", doc.Source, "job_id", doc.JobID,
		"type", a.Type, "confidence", a.Confidence)
	p.fileWake.wake()
	return nil
}

// alternatives keeps what else the service thought of, for sidecars.
func alternatives(types []docutray.Type) json.RawMessage {
	type alternative struct {
		Code       string  `json:"code"`
		Confidence float64 `json:"confidence"`
	}
	var all []alternative
	for _, t := range types {
		if t.Confidence > 0 {
			all = append(all, alternative{t.Code, t.Confidence})
		}
	}
	if len(all) < 2 {
		return nil // the answer itself says as much
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil // cannot be: finite numbers and strings
	}
	return b
}

// overdue gives a job up that takes too long. It is called only after the
// service was asked, so that a long outage costs no job.
func (p *Pipeline) overdue(ctx context.Context, j *job, reason string) bool {
	if time.Since(j.doc.SubmittedAt) < p.JobTimeout {
		return false
	}
	return p.jobEnded(ctx, j, store.JobEnd{Reason: reason, Open: true})
}

// jobEnded stores that a job ended without an answer.
func (p *Pipeline) jobEnded(ctx context.Context, j *job, e store.JobEnd) bool {
	pause := pauseAfter(j.doc.Attempts)
	e.RetryAt, e.MaxAttempts = time.Now().Add(pause), p.MaxAttempts
	var doc store.Document
	err := p.durable(ctx, func(ctx context.Context) (err error) {
		doc, err = p.Store.JobEnded(ctx, j.doc.ID, e)
		return err
	})
	if err != nil {
		p.transitionFailed(&j.doc, "waiting", err)
		return errors.Is(err, store.ErrStale)
	}
	log := p.log.With("doc", doc.ID, "path", doc.Source, "job_id", doc.JobID, "attempt", doc.Attempts)
	if doc.Outcome == store.Failed {
		log.Warn("document cannot be identified", "err", doc.Error)
		p.fileWake.wake()
		return true
	}
	log.Warn("job ended without an answer; will submit again", "err", e.Reason, "pause", pause)
	p.submitWake.wake()
	return true
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
