package pipeline

import (
	"context"
	"errors"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// submit takes one document from waiting to pending, or stores why not. It says
// whether a job is in flight for it now. uploaded is called when the POST has
// ended: the next one need not wait until this one's outcome is stored, and
// cannot begin before something of its own is. There is no job to take over for
// one that is unheard of.
func (p *Pipeline) submit(l lifetimes, doc *store.Document, unheard bool, uploaded func()) bool {
	if !unheard && p.adopt(l, doc) {
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
	uploaded()
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
