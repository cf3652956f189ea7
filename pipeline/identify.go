package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
	"docusort/store"
)

// identify takes one document from waiting, or from pending, to its answer:
//
//	is there an answer or a job already?  ─ no ─►  submit  ─►  poll  ─►  store the answer
//
// It returns what stopped it; classify decides what that means. t is what a
// submission needs, nil for a document that has a job.
func (p *Pipeline) identify(l lifetimes, doc *store.Document, t *turn) error {
	if doc.State == store.Waiting {
		if err := p.submit(l, doc, t); err != nil {
			return err
		}
	}
	if doc.State != store.Pending {
		return nil // an identical document answers for it, or will
	}
	result, err := p.poll(l.work, doc)
	if err != nil {
		return err
	}
	return p.storeAnswer(l.work, doc, result)
}

// submit makes a job for a document, unless Submitting finds that there is an answer
// or a job for its content.
func (p *Pipeline) submit(l lifetimes, doc *store.Document, t *turn) error {
	content, err := p.openContent(doc)
	if err != nil {
		return &unreadableError{err}
	}
	defer content.Close()
	*doc, err = write(l.work, p, func(ctx context.Context) (store.Document, error) {
		return p.Store.Submitting(ctx, doc.ID, p.request())
	})
	if err != nil {
		return fmt.Errorf("submitting: %w", err)
	}
	if doc.State != store.Submitting {
		p.logSpared(doc)
		return nil
	}
	p.reached(SubmittingStored)
	jobID, verdict, err := p.post(l, doc, content, t)
	if err != nil {
		return &submitError{verdict, err}
	}
	p.reached(Posted)
	posted := time.Now() // the job is as old as that: a slow upload is not a slow job
	err = p.save(l.store, func(ctx context.Context) error { return p.Store.Accepted(ctx, doc.ID, jobID) })
	if err != nil {
		return &acceptedError{jobID, err}
	}
	p.reached(AcceptedStored)
	doc.State, doc.JobID, doc.SubmittedAt = store.Pending, jobID, posted
	doc.Attempts, doc.Failures, doc.Error, doc.AskedAgain = doc.Attempts+1, 0, "", false
	p.log.Info("document submitted", "doc", doc.ID, "path", doc.Source, "job_id", jobID, "attempt", doc.Attempts)
	return nil
}

// post uploads a document. The place for the upload is given back before the outcome
// is judged, which may take a ping.
func (p *Pipeline) post(l lifetimes, doc *store.Document, content *content, t *turn) (jobID string, verdict gate.Verdict, err error) {
	p.activity.uploading.Add(1)
	jobID, err = p.Service.Submit(l.finish, docutray.Submission{
		Filename: content.name, ContentType: doc.ContentType, Size: doc.Identity.Size, Content: content,
		Types: p.DocumentTypes, Metadata: p.Metadata,
	})
	p.activity.uploading.Add(-1)
	t.upload()
	return jobID, t.permit.Done(l.finish, doc.ID, err), err
}

// logSpared tells why a document was not submitted.
func (p *Pipeline) logSpared(doc *store.Document) {
	log := p.log.With("doc", doc.ID, "path", doc.Source)
	switch doc.State {
	case store.Identified:
		log.Info("document is identical to an identified one", "type", doc.Type)
		p.fileNow.wake()
	case store.Pending:
		log.Info("document takes over a job", "job_id", doc.JobID)
	default:
		log.Info("document is identical to one at the service")
	}
}

// storeAnswer stores the type of a document.
func (p *Pipeline) storeAnswer(ctx context.Context, doc *store.Document, r result) error {
	a := store.Answer{
		Type: r.Type.Code, Confidence: r.Type.Confidence, Outcome: p.outcome(r.Type.Confidence),
		Alternatives: alternatives(r.Alternatives), Polls: r.polls, Share: p.ReuseResults > 0,
	}
	p.reached(Answered)
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Identified(ctx, doc.ID, a) })
	if err != nil {
		return fmt.Errorf("identified as %q: %w", a.Type, err)
	}
	p.reached(IdentifiedStored)
	p.log.Debug("document identified", "doc", doc.ID, "path", doc.Source, "job_id", doc.JobID,
		"type", a.Type, "confidence", a.Confidence)
	p.fileNow.wake()
	return nil
}

// request is how documents are submitted.
func (p *Pipeline) request() store.SubmitRequest {
	return store.SubmitRequest{Options: p.DocumentTypes, ReuseWithin: p.ReuseResults, Outcome: p.outcome}
}

// outcome returns what an answer of this confidence leads to.
func (p *Pipeline) outcome(confidence float64) store.State {
	if confidence < p.MinConfidence {
		return store.Review
	}
	return store.Filed
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
