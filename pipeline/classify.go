package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/pipeline/gate"
	"docusort/store"
)

// What can stop a document on its way to an answer.

// unreadableError: the document's file could not be opened as it was admitted.
type unreadableError struct{ err error }

// submitError: the POST made no job that we know of.
type submitError struct {
	verdict gate.Verdict
	err     error
}

// acceptedError: the service made a job whose id could not be stored.
type acceptedError struct {
	jobID string
	err   error
}

// jobError: the job ended without an answer, or is given up.
type jobError struct{ store.JobEnd }

// untypedError: the job succeeded and names no type, and that for a while.
type untypedError struct{}

// parkedError: polls of this job alone fail; they go on later.
type parkedError struct {
	reason string
	until  time.Time
	polls  int
}

func (e *unreadableError) Error() string { return e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }
func (e *submitError) Error() string     { return e.err.Error() }
func (e *submitError) Unwrap() error     { return e.err }
func (e *acceptedError) Error() string   { return fmt.Sprintf("accepted as %s: %v", e.jobID, e.err) }
func (e *acceptedError) Unwrap() error   { return e.err }
func (e *jobError) Error() string        { return e.Reason }
func (e *untypedError) Error() string    { return "the service named no type" }
func (e *parkedError) Error() string     { return e.reason }

// classify is the one place that decides what an error means for a document: it
// fails, waits for a time that is stored in its row, is gone, or is left as it is for
// whoever changed it. What has to be stored is stored although the daemon stops.
func (p *Pipeline) classify(l lifetimes, doc *store.Document, err error) {
	var (
		unreadable *unreadableError
		submit     *submitError
		accepted   *acceptedError
		job        *jobError
		untyped    *untypedError
		parked     *parkedError
	)
	switch {
	case err == nil:
		return
	case errors.As(err, &unreadable):
		err = p.unreadable(l.work, doc, unreadable.err)
	case errors.As(err, &submit):
		err = p.notSubmitted(l.store, doc, submit)
	case errors.As(err, &accepted) && errors.Is(err, store.ErrDuplicateJob):
		p.log.Error("the service gave the job id of another document; submitting again",
			"doc", doc.ID, "path", doc.Source, "job_id", accepted.jobID)
		err = p.refuse(l.store, doc, store.Refusal{Reason: accepted.err.Error(), OutcomeUnknown: true})
	case errors.As(err, &accepted):
		doc.JobID = accepted.jobID // nobody else knows of it any more
	case errors.As(err, &job):
		p.gate.Forget(doc.ID)
		err = p.jobEnded(l.work, doc, job.JobEnd)
	case errors.As(err, &untyped):
		err = p.fail(l.work, doc, untyped.Error()) // another job would cost as much, and say the same
	case errors.As(err, &parked):
		p.log.Warn("job cannot be polled; will try again", "doc", doc.ID, "path", doc.Source, "job_id", doc.JobID, "err", parked.reason)
		err = p.save(l.work, func(ctx context.Context) error {
			return p.Store.PollLater(ctx, doc.ID, parked.reason, parked.until, parked.polls)
		})
		p.parkedNow.wake()
	}
	if err != nil {
		p.notStored(doc, err)
	}
	p.dispatchNow.wake() // it may wait again, or one that waited for its answer
}

// unreadable decides about a document whose file cannot be opened as it was.
func (p *Pipeline) unreadable(ctx context.Context, doc *store.Document, err error) error {
	pause := p.Rescan
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, filing.ErrNotRegular):
		gone, cause := p.isGone(doc)
		if gone {
			return p.markGone(ctx, doc, "removed from the inbox before it was submitted")
		}
		if cause != nil {
			err = cause
		}
	case errors.Is(err, filing.ErrChanged), errors.Is(err, filing.ErrBusy):
		pause = p.Settle + firstPause
	}
	if doc.Error != err.Error() {
		p.log.Warn("document cannot be read; will try again", "doc", doc.ID, "path", doc.Source, "err", err)
	}
	return p.save(ctx, func(ctx context.Context) error {
		return p.Store.Postponed(ctx, doc.ID, err.Error(), time.Now().Add(pause))
	})
}

// notSubmitted decides about a document whose POST made no job that we know of.
func (p *Pipeline) notSubmitted(ctx context.Context, doc *store.Document, s *submitError) error {
	e, ok := docutray.AsError(s.err)
	if !ok {
		e = &docutray.Error{Class: docutray.Local, Err: s.err}
	}
	log := p.log.With("doc", doc.ID, "path", doc.Source, "attempt", doc.Attempts+1)
	r := store.Refusal{Reason: e.Reason(), OutcomeUnknown: e.OutcomeUnknown}
	switch {
	case s.verdict == gate.DocumentFault:
		return p.fail(ctx, doc, e.Reason())
	case s.verdict == gate.ServiceFault:
		if doc.Error != r.Reason {
			log.Warn("submission refused; will try again", "err", s.err, "outcome_unknown", e.OutcomeUnknown)
		}
	case errors.Is(s.err, filing.ErrChanged):
		log.Info("document changed during its upload; waiting until it has settled")
		r.Reason, r.RetryAt = "changed during its upload", time.Now().Add(p.Settle+firstPause)
	case e.Class == docutray.Local && !errors.Is(s.err, context.Canceled):
		log.Warn("document could not be uploaded; will try again", "err", s.err)
	default:
		log.Debug("submission put off", "err", s.err)
		r = store.Refusal{OutcomeUnknown: e.OutcomeUnknown, Uncounted: true}
	}
	return p.refuse(ctx, doc, r)
}

// refuse puts a document back to waiting, with a pause that grows.
func (p *Pipeline) refuse(ctx context.Context, doc *store.Document, r store.Refusal) error {
	if r.RetryAt.IsZero() && !r.Uncounted {
		r.RetryAt = time.Now().Add(pauseAfter(doc.Failures + 1))
	}
	return p.save(ctx, func(ctx context.Context) error { return p.Store.Refused(ctx, doc.ID, r) })
}

// fail decides that the document cannot be identified.
func (p *Pipeline) fail(ctx context.Context, doc *store.Document, reason string) error {
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Failed(ctx, doc.ID, reason) })
	if err == nil {
		p.log.Warn("document cannot be identified", "doc", doc.ID, "path", doc.Source, "err", reason)
		p.fileNow.wake()
	}
	return err
}

// jobEnded stores that a job ended without an answer. A job that was asked once more
// before another is paid for costs no pause.
func (p *Pipeline) jobEnded(ctx context.Context, doc *store.Document, e store.JobEnd) error {
	pause := pauseAfter(doc.Attempts)
	if doc.AskedAgain {
		pause = 0
	}
	e.RetryAt, e.MaxAttempts, e.Share = time.Now().Add(pause), p.MaxAttempts, p.ReuseResults > 0
	row, err := write(ctx, p, func(ctx context.Context) (store.Document, error) {
		return p.Store.JobEnded(ctx, doc.ID, e)
	})
	if err != nil {
		return err
	}
	log := p.log.With("doc", row.ID, "path", row.Source, "job_id", row.JobID, "attempt", row.Attempts)
	if row.Outcome == store.Failed {
		log.Warn("document cannot be identified", "err", row.Error)
		p.fileNow.wake()
		return nil
	}
	log.Warn("job ended without an answer; will submit again", "err", e.Reason, "pause", pause)
	return nil
}

// markGone records that a document's file went away.
func (p *Pipeline) markGone(ctx context.Context, doc *store.Document, reason string) error {
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Gone(ctx, doc.ID, reason) })
	if err == nil {
		p.gate.Forget(doc.ID)
		p.log.Info("document is gone", "doc", doc.ID, "path", doc.Source, "reason", reason)
	}
	return err
}

// notStored logs a change that was not stored. That the document is in another state
// is ordinary: its file changed or went meanwhile.
func (p *Pipeline) notStored(doc *store.Document, err error) {
	log := p.log.With("doc", doc.ID, "path", doc.Source, "job_id", doc.JobID, "err", err)
	switch {
	case errors.Is(err, store.ErrStale):
		log.Debug("document changed meanwhile")
	case errors.Is(err, context.Canceled) && !store.DiskTrouble(err):
		log.Debug("stopped before the document was done")
	default:
		log.Error("change of a document was not stored")
	}
}
