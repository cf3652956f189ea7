package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// pollAll asks for every job in flight until it ends. One goroutine owns the
// heap of due times; the requests are made by others.
func (p *Pipeline) pollAll(ctx context.Context, pending []store.Document) error {
	s := newScheduler(p)
	took, err := asked(ctx, p, p.pulses.poll, func(ctx context.Context) ([]time.Duration, error) {
		return p.Store.JobTimes(ctx, 2*remembered)
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("how long jobs took: %w", err)
	}
	s.pace.remember(took)
	for _, doc := range pending {
		s.add(doc, time.Now())
	}
	s.run(ctx)
	return s.requests.Wait()
}

// poll asks for one job, and stores what the answer changes. It says whether the
// job is over, for us. passed is called when the request may be made, storing when
// there is an answer, which takes a sync to the disk to store.
func (p *Pipeline) poll(ctx context.Context, j *job, passed, storing func()) bool {
	permit, err := p.gate.enter(ctx, request{doc: j.doc.ID})
	if err != nil {
		return false
	}
	passed()
	status, err := p.Service.Status(ctx, j.doc.JobID)
	j.awaited.Store(back)
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
	j.troubled = v == troubled
	switch {
	case v == lost && j.lost:
		return p.jobEnded(ctx, j, store.JobEnd{Reason: "the service does not know the job any more"})
	case v == lost:
		j.lost = true // a service of many parts may not know yet what it just accepted: ask once more
		return false
	case err != nil:
		p.logPoll(ctx, j, "err", err)
		if v == notAtFault || p.gate.holding() {
			return false
		}
		return p.overdue(ctx, j, fmt.Sprintf("the job could not be asked for within %s: %s", p.JobTimeout, errorOf(err).Reason()))
	}
	j.lost, j.denied = false, false
	p.logPoll(ctx, j, "state", status.State)
	j.said, j.took = finished, status.Took
	switch status.State {
	case docutray.Succeeded:
		storing()
		return p.identified(ctx, j, status)
	case docutray.Failed:
		return p.jobEnded(ctx, j, store.JobEnd{Reason: "the service could not identify it: " + orNoReason(status.Error)})
	}
	j.said = unfinished
	return p.overdue(ctx, j, fmt.Sprintf("the job did not end within %s", p.JobTimeout))
}

// logPoll costs nothing where polls are not logged, as is usual.
func (p *Pipeline) logPoll(ctx context.Context, j *job, key string, value any) {
	if p.log.Enabled(ctx, slog.LevelDebug) {
		p.log.Debug("poll", "doc", j.doc.ID, "path", j.doc.Source, "job_id", j.doc.JobID, key, value)
	}
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
