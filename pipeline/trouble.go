package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/pipeline/gate"
	"docusort/store"
)

// Each kind of trouble on the way to an answer has one function here, which decides what
// becomes of the document: it fails, it waits, it is gone. The functions return an error
// where their decision could not be stored.

// unreadable decides about a document whose file cannot be opened as it was.
func (p *Pipeline) unreadable(ctx context.Context, doc *store.Document, err error) error {
	pause := p.Rescan
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, filing.ErrNotRegular):
		gone, cause := p.isGone(doc)
		if gone {
			return p.missing(ctx, doc, p.whyGone(doc, "submitted"))
		}
		if cause != nil {
			err = cause
		}
	case errors.Is(err, filing.ErrChanged) && doc.StaysAt != "":
		return p.markGone(ctx, doc, "its file was changed")
	case errors.Is(err, filing.ErrChanged), errors.Is(err, filing.ErrBusy):
		pause = p.Settle + firstPause
	}
	if doc.Error != err.Error() {
		p.logOf(doc).Warn("document cannot be read; will try again", "err", err)
	}
	return p.save(ctx, func(ctx context.Context) error {
		return p.Store.Postponed(ctx, doc.ID, err.Error(), time.Now().Add(pause))
	})
}

// notSubmitted decides about a document whose POST made no job that we know of.
func (p *Pipeline) notSubmitted(ctx context.Context, doc *store.Document, verdict gate.Verdict, err error) error {
	e := docutray.AsError(err)
	log := p.logOf(doc).With("attempt", doc.Attempts+1)
	r := store.Refusal{Reason: e.Reason(), OutcomeUnknown: e.OutcomeUnknown}
	switch {
	case verdict == gate.DocumentFault:
		return p.fail(ctx, doc, e.Reason())
	case e.Class == docutray.NoID:
		return p.unnamed(ctx, doc, e)
	case verdict == gate.ServiceFault:
		if doc.Error != r.Reason {
			log.Warn("submission refused; will try again", "err", err, "outcome_unknown", e.OutcomeUnknown)
		}
	case errors.Is(err, filing.ErrChanged) && doc.StaysAt != "":
		return p.markGone(ctx, doc, "its file was changed")
	case errors.Is(err, filing.ErrChanged):
		log.Info("document changed during its upload; waiting until it has settled")
		r.Reason, r.RetryAt = "changed during its upload", time.Now().Add(p.Settle+firstPause)
	case e.Class == docutray.Local && !errors.Is(err, context.Canceled):
		log.Warn("document could not be uploaded; will try again", "err", err)
	default:
		log.Debug("submission put off", "err", err)
		r = store.Refusal{OutcomeUnknown: e.OutcomeUnknown, Uncounted: true}
	}
	return p.refuse(ctx, doc, r)
}

// unnamed puts a document back that the service accepted without naming the job. It counts
// as paid for, and is tried once more; then a person asks for the next try.
func (p *Pipeline) unnamed(ctx context.Context, doc *store.Document, e *docutray.Error) error {
	p.logOf(doc).Error("the service accepted the document and named no job; it may be paid for", "err", e)
	return p.save(ctx, func(ctx context.Context) error {
		return p.Store.Unnamed(ctx, doc.ID, e.Reason(), time.Now().Add(p.jobPause(1)))
	})
}

// refuse puts a document back to waiting, with a pause that grows.
func (p *Pipeline) refuse(ctx context.Context, doc *store.Document, r store.Refusal) error {
	if r.RetryAt.IsZero() && !r.Uncounted {
		r.RetryAt = time.Now().Add(backoff(doc.Failures+1, longestPause))
	}
	return p.save(ctx, func(ctx context.Context) error { return p.Store.Refused(ctx, doc.ID, r) })
}

// fail stores that the document cannot be identified.
func (p *Pipeline) fail(ctx context.Context, doc *store.Document, reason string) error {
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Failed(ctx, doc.ID, reason) })
	if err == nil {
		p.logOf(doc).Warn("document cannot be identified", "err", reason)
		p.fileNow.wake()
	}
	return err
}

// jobEnded decides about a document whose job ended without an answer, or is given up.
// A job that was polled once more before another is paid for costs no pause.
func (p *Pipeline) jobEnded(ctx context.Context, doc *store.Document, e store.JobEnd) error {
	p.gate.Forget(doc.ID)
	pause := p.jobPause(doc.Attempts)
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
	log := p.logOf(&row).With("job_id", row.JobID, "attempt", row.Attempts)
	if row.Outcome != "" {
		log.Warn("document cannot be identified", "err", row.Error)
		p.fileNow.wake()
		return nil
	}
	log.Warn("job ended without an answer; will submit again", "err", e.Reason, "pause", pause)
	return nil
}

// park lets a job be polled later, without a place among MaxPending. reason says why
// its polls fail; "" where they do not any more.
func (p *Pipeline) park(ctx context.Context, doc *store.Document, reason string, pause time.Duration, polls int) error {
	if reason != "" {
		p.logOf(doc).Warn("job cannot be polled; will try again", "job_id", doc.JobID, "err", reason)
	}
	until := time.Now().Add(pause)
	return p.save(ctx, func(ctx context.Context) error {
		return p.Store.PollLater(ctx, doc.ID, reason, until, polls)
	})
}

// markGone records that a document's file went away, if the document is still in the
// phase in which it was missed.
func (p *Pipeline) markGone(ctx context.Context, doc *store.Document, reason string) error {
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Gone(ctx, doc.ID, reason, doc.Phase) })
	if err == nil {
		p.gate.Forget(doc.ID)
		p.dispatchNow.wake() // for an identical one that waited for it
		message := "document is gone"
		if doc.StaysAt != "" {
			message = "document stays as it was"
		}
		p.logOf(doc).Info(message, "reason", reason)
	}
	return err
}

// notStored logs that a change of a document was not stored, if err says so. That the
// document is in another state is ordinary: its file was changed or removed meanwhile.
func (p *Pipeline) notStored(doc *store.Document, err error) {
	if err == nil {
		return
	}
	log := p.logOf(doc).With("job_id", doc.JobID, "err", err)
	switch {
	case errors.Is(err, store.ErrStale):
		p.gate.Forget(doc.ID)
		log.Debug("document changed meanwhile")
	case errors.Is(err, context.Canceled) && !store.DiskTrouble(err):
		log.Debug("stopped before the document was done")
	default:
		log.Error("change of a document was not stored")
	}
}
