package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
	"docusort/store"
)

// result is an answer, and how many polls it took.
type result struct {
	docutray.Status
	polls int
}

// patience is how long a job may be unknown to the service before it is taken for
// lost, and how long its polls may fail before it gives its place back.
const patience = time.Minute

// poll asks for a document's job until the service answers it. What else ends it is
// a [jobError], an [untypedError] or a [parkedError], or that ctx ended.
func (p *Pipeline) poll(ctx context.Context, doc *store.Document) (result, error) {
	if doc.State == store.Pending && !doc.RetryAt.IsZero() || doc.AskedAgain {
		// It was asked for before; what is known of jobs' ages says nothing of it.
		return p.pollFrom(ctx, doc, 0)
	}
	return p.pollFrom(ctx, doc, p.ages.next(age(doc), 0)-age(doc))
}

func age(doc *store.Document) time.Duration { return time.Since(doc.SubmittedAt) }

// pollFrom polls after a pause, and then as often as the answers suggest.
func (p *Pipeline) pollFrom(ctx context.Context, doc *store.Document, pause time.Duration) (result, error) {
	unfinished := time.Duration(0) // the age at which the job was last known to be unfinished
	untyped := time.Duration(0)    // the age at which the answer first named no type
	for polls := 1; ; polls++ {
		if !sleep(ctx, pause) {
			return result{}, context.Cause(ctx)
		}
		permit, err := p.gate.Acquire(ctx, gate.Poll)
		if err != nil {
			return result{}, err
		}
		asked := age(doc)
		status, err := p.Service.Status(ctx, doc.JobID)
		if ctx.Err() != nil {
			permit.Release()
			return result{}, context.Cause(ctx)
		}
		p.logPoll(ctx, doc, status, err)
		verdict := permit.Done(ctx, doc.ID, err)
		switch {
		case verdict == gate.External:
			pause = 0 // the gate knows when
			continue
		case err != nil:
			if pause, err = p.afterTrouble(doc, verdict, polls); err != nil {
				return result{}, err
			}
			continue
		case status.State == docutray.Succeeded:
			p.ages.add(took(status, unfinished, asked))
			return result{status, polls}, nil
		case status.State == docutray.Failed:
			p.ages.add(took(status, unfinished, asked))
			reason := "the service could not identify it: " + cmp.Or(status.Error, "no reason given")
			return result{}, &jobError{JobEnd: store.JobEnd{Reason: reason, Polls: polls}}
		case status.State == docutray.NoType && untyped == 0:
			untyped = asked
		case status.State == docutray.NoType && asked-untyped >= patience:
			return result{}, &untypedError{}
		case status.State == docutray.NoType:
		case asked >= p.JobTimeout || doc.AskedAgain:
			return result{}, p.timedOut(fmt.Sprintf("the job did not end within %s", p.JobTimeout), polls)
		}
		unfinished = asked
		pause = p.ages.next(age(doc), asked) - age(doc)
	}
}

// took returns how long a job took: as the service says, where that makes sense,
// else halfway between the last two polls.
func took(s docutray.Status, unfinished, asked time.Duration) time.Duration {
	if d := s.Took; d > 0 && d >= unfinished && d <= asked {
		return d
	}
	return (unfinished + asked) / 2
}

// afterTrouble returns how long to wait after a poll that failed although the service
// answers, or the error that ends the polls. Neither what the service says of a job
// that it does not know nor the job's age is believed before the poll of another job
// was answered: until then it may be the service's own trouble.
func (p *Pipeline) afterTrouble(doc *store.Document, verdict gate.Verdict, polls int) (time.Duration, error) {
	t := p.gate.Trouble(doc.ID)
	lasted := time.Since(t.Since)
	pause := backoff(t.Tries, longestJobPause, rand.Float64())
	switch {
	case doc.AskedAgain && verdict == gate.JobMissing, verdict == gate.JobMissing && t.OthersAnswered && lasted >= patience:
		return 0, &jobError{JobEnd: store.JobEnd{Reason: "the service does not know the job any more", Polls: polls}}
	case doc.AskedAgain, t.OthersAnswered && age(doc) >= p.JobTimeout:
		return 0, p.timedOut(fmt.Sprintf("the job could not be polled within %s: %s", p.JobTimeout, t.Reason), polls)
	case lasted >= patience:
		return 0, &parkedError{reason: t.Reason, until: time.Now().Add(pause), polls: polls}
	}
	return pause, nil
}

func (p *Pipeline) timedOut(reason string, polls int) error {
	return &jobError{JobEnd: store.JobEnd{Reason: reason, Open: true, Polls: polls}}
}

// logPoll costs nothing where polls are not logged, as is usual.
func (p *Pipeline) logPoll(ctx context.Context, doc *store.Document, s docutray.Status, err error) {
	if !p.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	log := p.log.With("doc", doc.ID, "path", doc.Source, "job_id", doc.JobID)
	if err != nil {
		log.Debug("polled", "err", err)
	} else {
		log.Debug("polled", "state", s.State)
	}
}
