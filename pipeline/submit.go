package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// submitAll uploads what waits: new documents in the order of their arrival
// before those that wait out a pause, Workers at a time, as long as fewer than
// MaxPending jobs are in flight. It returns when ctx is done and the uploads
// under way have ended.
func (p *Pipeline) submitAll(l lifetimes) error {
	var uploads errgroup.Group
	room := make(chan struct{}, p.Workers) // not SetLimit, which would block where nobody answers
	claimed := newClaims()
	err := p.feed(l.work, claimed, func(doc store.Document) {
		p.inFlight.Add(1)
		p.begun.Add(1)
		p.pulses.submit.put(room)
		uploads.Go(func() error {
			defer func() { <-room }()
			if !p.submit(l, &doc) {
				p.freeSlot()
			}
			claimed.release(doc.ID)
			p.submitWake.wake()
			return nil
		})
	})
	return errors.Join(err, uploads.Wait())
}

// feed hands documents to upload, which blocks while all workers are busy.
func (p *Pipeline) feed(ctx context.Context, claimed *claims, upload func(store.Document)) error {
	for {
		p.pulses.submit.answer()
		now := time.Now()
		ids, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) ([]int64, error) {
			return p.Store.Submittable(ctx, now, claimed.len()+2*p.Workers)
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("what is to be submitted: %w", err)
		}
		idle := true
		for _, id := range ids {
			for p.inFlight.Load() >= int64(p.MaxPending) {
				select {
				case <-p.slotFreed:
				case <-p.pulses.submit:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if ctx.Err() != nil || !claimed.claim(id) {
				continue
			}
			// It may have been uploaded since it was listed, and wait again.
			doc, err := p.current(ctx, id)
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("whether it is to be submitted: %w", err)
			}
			if err != nil || !submittable(&doc, time.Now()) {
				claimed.release(id)
				continue
			}
			idle = false
			upload(doc)
		}
		if !idle {
			continue
		}
		if err := p.awaitSubmittable(ctx, now); err != nil {
			return err
		}
	}
}

// current reads a document as it is now.
func (p *Pipeline) current(ctx context.Context, id int64) (store.Document, error) {
	return asked(ctx, p, p.pulses.submit, func(ctx context.Context) (store.Document, error) {
		return p.Store.Document(ctx, id)
	})
}

func submittable(d *store.Document, now time.Time) bool {
	return d.State == store.Waiting && d.Outcome == "" && d.WaitsFor == 0 && d.SHA256 != nil && d.PutBack == "" &&
		!d.RetryAt.After(now)
}

// awaitSubmittable returns when there may be something to submit.
func (p *Pipeline) awaitSubmittable(ctx context.Context, now time.Time) error {
	next, err := asked(ctx, p, p.pulses.submit, func(ctx context.Context) (time.Time, error) { return p.Store.NextRetry(ctx, now) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("when to submit again: %w", err)
	}
	due := at(next)
	for {
		select {
		case <-p.submitWake:
			return nil
		case <-due:
			return nil
		case <-p.pulses.submit:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Pipeline) freeSlot() {
	p.inFlight.Add(-1)
	p.slotFreed.wake()
}

// submit takes one document from waiting to pending, or stores why not. It says
// whether a job is in flight for it now.
func (p *Pipeline) submit(l lifetimes, doc *store.Document) bool {
	if p.adopt(l, doc) {
		return true
	}
	if p.answeredLate(l, doc) {
		return false
	}
	permit, err := p.gate.enter(l.work, request{submission: true, doc: doc.ID})
	if err != nil {
		return false
	}
	content, err := p.openContent(doc)
	if err != nil {
		p.gate.abandon(permit)
		p.cannotUpload(l.work, doc, err)
		return false
	}
	defer content.Close()
	err = p.durable(l.work, func(ctx context.Context) error {
		return p.Store.Submitting(ctx, doc.ID, p.DocumentTypes)
	})
	if err != nil {
		p.gate.abandon(permit)
		p.transitionFailed(doc, "submitting", err)
		return false
	}
	p.reached(SubmittingStored)
	p.uploading.Add(1)
	jobID, err := p.Service.Submit(l.finish, docutray.Submission{
		Filename: content.name, ContentType: doc.ContentType, Size: doc.Identity.Size, Content: content,
		Types: p.DocumentTypes, Metadata: p.Metadata,
	})
	p.uploading.Add(-1)
	doc.SubmittedAt = time.Now() // the job is as old as that: a slow upload is not a slow job
	v := p.gate.done(permit, err)

	if err != nil {
		p.refused(l.store, doc, v, err)
		return false
	}
	p.reached(Posted)
	return p.jobMade(l, doc, jobID)
}

// jobMade stores the job's id and hands the job to the poller.
func (p *Pipeline) jobMade(l lifetimes, doc *store.Document, jobID string) bool {
	err := p.durable(l.store, func(ctx context.Context) error { return p.Store.Accepted(ctx, doc.ID, jobID) })
	switch {
	case errors.Is(err, store.ErrDuplicateJob):
		p.log.Error("the service gave the job id of another document; submitting again",
			"doc", doc.ID, "path", doc.Source, "job_id", jobID)
		p.putBack(l.store, doc, store.Refusal{
			Reason: err.Error(), Unknown: true, RetryAt: time.Now().Add(pauseAfter(doc.Refusals + 1)),
		})
		return false
	case err != nil:
		doc.JobID = jobID // nobody else knows of it any more
		p.transitionFailed(doc, "pending", err)
		return false
	}
	p.reached(AcceptedStored)
	doc.State, doc.JobID, doc.Attempts = store.Pending, jobID, doc.Attempts+1
	p.log.Info("document submitted", "doc", doc.ID, "path", doc.Source, "job_id", jobID, "attempt", doc.Attempts)
	p.handOver(l, doc)
	return true
}

// handOver gives a job to the poller.
func (p *Pipeline) handOver(l lifetimes, doc *store.Document) {
	select {
	case p.accepted <- *doc:
	case <-l.work.Done(): // the next run takes it up from the record
	}
}

// adopt takes over a job that is paid for: that of identical content which has
// gone from its place, most likely by being renamed to this one, or the
// document's own, which was given up before it failed.
func (p *Pipeline) adopt(l lifetimes, doc *store.Document) bool {
	take := p.Store.Adopt
	switch {
	case doc.Retried():
		take = p.Store.AskAgain // its own, before a new one is paid for
	case p.ReuseResults <= 0:
		return false
	}
	var found bool
	err := p.durable(l.work, func(ctx context.Context) error {
		adopted, ok, err := take(ctx, doc.ID, p.DocumentTypes)
		if found = ok; ok {
			*doc = adopted
		}
		return err
	})
	if err != nil {
		p.transitionFailed(doc, "pending", err)
	}
	if found {
		p.log.Info("document takes over a job", "doc", doc.ID, "path", doc.Source, "job_id", doc.JobID)
		p.handOver(l, doc)
	}
	return found
}

// refused stores that a POST made no job that we know of.
func (p *Pipeline) refused(ctx context.Context, doc *store.Document, v verdict, err error) {
	e := errorOf(err)
	log := p.log.With("doc", doc.ID, "path", doc.Source, "attempt", doc.Attempts+1)
	switch {
	case v == atFault:
		p.fail(ctx, doc, e.Reason())
	case v == troubled:
		pause := pauseAfter(doc.Refusals + 1)
		if doc.Error != e.Reason() {
			log.Warn("submission refused; will try again", "err", err, "outcome_unknown", e.Unknown, "pause", pause)
		}
		p.putBack(ctx, doc, store.Refusal{Reason: e.Reason(), Unknown: e.Unknown, RetryAt: time.Now().Add(pause)})
	case errors.Is(err, filing.ErrChanged):
		log.Info("document changed while it was uploaded; waiting for it to settle")
		p.putBack(ctx, doc, store.Refusal{
			Reason: "changed while it was uploaded", Unknown: e.Unknown, RetryAt: time.Now().Add(p.Settle + firstPause), Own: true,
		})
	case e.Class == docutray.Local && !errors.Is(err, context.Canceled):
		log.Warn("document could not be uploaded; will try again", "err", err)
		p.putBack(ctx, doc, store.Refusal{
			Reason: e.Reason(), Unknown: e.Unknown, RetryAt: time.Now().Add(pauseAfter(doc.Refusals + 1)), Own: true,
		})
	default:
		log.Debug("submission put off", "err", err)
		p.putBack(ctx, doc, store.Refusal{Unknown: e.Unknown, Blameless: true})
	}
}

// fail decides that the document cannot be identified.
func (p *Pipeline) fail(ctx context.Context, doc *store.Document, reason string) {
	err := p.durable(ctx, func(ctx context.Context) error { return p.Store.Failed(ctx, doc.ID, reason) })
	if err != nil {
		p.transitionFailed(doc, "failed", err)
		return
	}
	p.log.Warn("document cannot be identified", "doc", doc.ID, "path", doc.Source, "err", reason)
	p.fileWake.wake()
}

func (p *Pipeline) putBack(ctx context.Context, doc *store.Document, r store.Refusal) {
	if err := p.durable(ctx, func(ctx context.Context) error { return p.Store.Refused(ctx, doc.ID, r) }); err != nil {
		p.transitionFailed(doc, "waiting", err)
	}
}

// cannotUpload handles a document whose file cannot be opened as it was.
func (p *Pipeline) cannotUpload(ctx context.Context, doc *store.Document, err error) {
	pause := p.Rescan
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, filing.ErrNotRegular):
		gone, cause := p.absent(doc)
		if gone {
			p.gone(ctx, doc, "taken out of the inbox before it was submitted")
			return
		}
		if cause != nil {
			err = cause
		}
	case errors.Is(err, filing.ErrChanged), errors.Is(err, filing.ErrBusy):
		pause = p.Settle + firstPause
	}
	if doc.Error != err.Error() {
		p.log.Warn("document cannot be read now", "doc", doc.ID, "path", doc.Source, "err", err)
	}
	err = p.durable(ctx, func(ctx context.Context) error {
		return p.Store.Postponed(ctx, doc.ID, err.Error(), time.Now().Add(pause))
	})
	if err != nil {
		p.transitionFailed(doc, "waiting", err)
	}
}

// gone records that a document's file went away.
func (p *Pipeline) gone(ctx context.Context, doc *store.Document, reason string) {
	err := p.durable(ctx, func(ctx context.Context) error { return p.Store.Gone(ctx, doc.ID, reason) })
	if err != nil {
		p.transitionFailed(doc, "gone", err)
		return
	}
	p.log.Info("document is gone", "doc", doc.ID, "path", doc.Source, "reason", reason)
	p.submitWake.wake() // one that waited for it may take its place
}

// transitionFailed tells of a change that was not stored. That the document is
// in another state by now is ordinary: its file changed or went meanwhile.
func (p *Pipeline) transitionFailed(doc *store.Document, to string, err error) {
	log := p.log.With("doc", doc.ID, "path", doc.Source, "to", to, "job_id", doc.JobID, "err", err)
	switch {
	case errors.Is(err, store.ErrStale):
		log.Info("document changed meanwhile")
	case errors.Is(err, context.Canceled) && !store.DiskTrouble(err):
		log.Debug("stopped before the change was stored")
	default:
		log.Error("change of a document was not stored")
	}
}
