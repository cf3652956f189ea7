package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
	"docusort/store"
)

// patience is how long a job may be unknown to the service, or without a type, before that
// is believed, and how long its polls may fail before it is parked.
const patience = time.Minute

// poll polls a document's job until the service answers it, until it is given up or
// parked, or until ctx ends.
func (p *Pipeline) poll(ctx context.Context, doc *store.Document) error {
	if age(doc) < 0 { // the clock was set back
		doc.SubmittedAt = time.Now()
	}
	pause, parked := time.Duration(0), !doc.RetryAt.IsZero()
	if !parked && !doc.AskedAgain { // else it was polled before, and other jobs' ages say nothing
		pause = p.ages.next(age(doc), 0) - age(doc)
	}
	unfinished := time.Duration(0) // the age at which the job was last known to be unfinished
	untyped := time.Duration(0)    // the age at which the answer first named no type
	doubted := doc.AskedAgain      // whether ERROR was the answer before
	began := time.Now()
	for polls := 1; ; polls++ {
		polledAt, status, verdict, err := p.pollOnce(ctx, doc, pause)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case verdict == gate.External:
			pause = 0 // the gate knows when
			continue
		case err != nil:
			again, err := p.pollFailed(ctx, doc, err, polls)
			if again == 0 || err != nil {
				return err
			}
			pause = again
			continue
		case status.State == docutray.Succeeded:
			p.ages.add(took(status, unfinished, polledAt))
			return p.storeAnswer(ctx, doc, status, polls)
		case status.State == docutray.Failed && !doubted:
			p.ages.add(took(status, unfinished, polledAt))
			doubted, pause = true, min(p.jobPause(doc.Attempts)/12, patience) // the reason may pass
			continue
		case status.State == docutray.Failed:
			reason := "the service could not identify it: " + cmp.Or(status.Error, "no reason given")
			return p.jobEnded(ctx, doc, store.JobEnd{Reason: reason, Polls: polls})
		case status.State == docutray.NoType && untyped == 0:
			untyped = polledAt
		case status.State == docutray.NoType && polledAt-untyped >= patience:
			return p.fail(ctx, doc, "the service named no type") // another job would cost as much, and say the same
		case status.State == docutray.NoType:
		case p.isOld(polledAt) || doc.AskedAgain:
			return p.giveUp(ctx, doc, fmt.Sprintf("the job did not end within %s", p.JobTimeout), polls)
		case parked && time.Since(began) > patience:
			return p.park(ctx, doc, "", p.PollMin, polls) // other parked jobs are polled first
		}
		unfinished = polledAt
		pause = p.ages.next(age(doc), polledAt) - age(doc)
	}
}

func age(doc *store.Document) time.Duration { return time.Since(doc.SubmittedAt) }

// isOld reports whether a job of this age may be given up. That of a job of an earlier run
// is by the clock, which may have been set: it counts once this run has lasted as long.
func (p *Pipeline) isOld(age time.Duration) bool {
	return age >= p.JobTimeout && time.Since(p.began) >= p.JobTimeout
}

// pollOnce polls a job once, after a pause. polledAt is the job's age then.
func (p *Pipeline) pollOnce(ctx context.Context, doc *store.Document, pause time.Duration) (
	polledAt time.Duration, status docutray.Status, verdict gate.Verdict, err error) {
	if !sleep(ctx, pause) {
		return 0, status, verdict, context.Cause(ctx)
	}
	permit, err := p.gate.Acquire(ctx, gate.Poll)
	if err != nil {
		return 0, status, verdict, err
	}
	polledAt = age(doc)
	status, err = p.Service.Status(ctx, doc.JobID)
	p.Logger.Debug("polled", "doc", doc.ID, "path", doc.Source, "job_id", doc.JobID, "state", status.State, "err", err)
	return polledAt, status, permit.Done(ctx, doc.ID, err), err
}

// took returns how long a job took: what the service says, where the polls confirm it, or
// else the middle between the last two polls.
func took(s docutray.Status, unfinished, polledAt time.Duration) time.Duration {
	if d := s.Took; d > 0 && d >= unfinished && d <= polledAt {
		return d
	}
	return (unfinished + polledAt) / 2
}

// pollFailed returns how long to wait after a poll that failed although the service
// answers; 0 where the polls end. Until the poll of another job was answered, the failure
// may be the service's own: so long no job is taken for lost, or given up for its age.
func (p *Pipeline) pollFailed(ctx context.Context, doc *store.Document, err error, polls int) (time.Duration, error) {
	t := p.gate.Trouble(doc.ID)
	lasted := time.Since(t.Since)
	switch {
	case docutray.AsError(err).Class == docutray.Missing && (doc.AskedAgain || t.OthersAnswered && lasted >= patience):
		return 0, p.jobEnded(ctx, doc, store.JobEnd{Reason: "the service does not know the job any more", Polls: polls})
	case doc.AskedAgain, t.OthersAnswered && p.isOld(age(doc)):
		return 0, p.giveUp(ctx, doc, fmt.Sprintf("the job could not be polled within %s: %s", p.JobTimeout, t.Reason), polls)
	case lasted >= patience:
		return 0, p.park(ctx, doc, t.Reason, t.Pause, polls)
	}
	return t.Pause, nil
}

// giveUp ends the polls of a job that the service may still answer.
func (p *Pipeline) giveUp(ctx context.Context, doc *store.Document, reason string, polls int) error {
	return p.jobEnded(ctx, doc, store.JobEnd{Reason: reason, Open: true, Polls: polls})
}
