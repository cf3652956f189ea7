package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// identify takes one document from waiting, or from pending, to its answer:
//
//	is there an answer or a job already?  ─ no ─►  submit  ─►  poll  ─►  store the answer
//
// What becomes of it where that fails is decided in trouble.go. t is what a submission
// needs, nil for a document that has a job. The error says what could not be stored, or
// that the daemon stops.
func (p *Pipeline) identify(l lifetimes, doc *store.Document, t *turn) error {
	if doc.State == store.Waiting {
		if err := p.submit(l, doc, t); err != nil {
			return err
		}
	}
	if doc.State != store.Pending {
		return nil
	}
	return p.poll(l.work, doc)
}

// submit makes a job for a document, unless Submitting finds that there is an answer
// or a job for its content.
func (p *Pipeline) submit(l lifetimes, doc *store.Document, t *turn) error {
	content, err := p.openContent(doc)
	if err != nil {
		return p.unreadable(l.work, doc, err)
	}
	defer content.Close()
	err = p.save(l.work, func(ctx context.Context) error {
		row, err := p.Store.Submitting(ctx, doc.ID, p.request())
		if err == nil {
			*doc = row
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("submitting: %w", err)
	}
	if doc.State != store.Submitting {
		p.logSpared(doc)
		return nil
	}
	p.OnStep(SubmittingStored)
	jobID, err := p.Service.Submit(l.finish, docutray.Submission{
		Filename: path.Base(doc.Source), ContentType: doc.ContentType, Size: doc.Identity.Size, Content: content,
		Types: p.DocumentTypes, Metadata: p.Metadata,
	})
	t.upload() // because the verdict may take a ping
	if verdict := t.permit.Done(l.finish, doc.ID, err); err != nil {
		return p.notSubmitted(l.store, doc, verdict, err)
	}
	p.OnStep(Posted)
	posted := time.Now() // the job's age counts from here, so that a slow upload is not a slow job
	err = p.save(l.store, func(ctx context.Context) error { return p.Store.Accepted(ctx, doc.ID, jobID) })
	if errors.Is(err, store.ErrDuplicateJob) {
		p.logOf(doc).Error("the service gave the job id of another document; submitting again", "job_id", jobID)
		return p.refuse(l.store, doc, store.Refusal{Reason: err.Error(), OutcomeUnknown: true})
	}
	doc.JobID = jobID
	if err != nil {
		return err
	}
	p.OnStep(AcceptedStored)
	doc.State, doc.SubmittedAt = store.Pending, posted
	doc.Attempts, doc.Failures, doc.Error, doc.AskedAgain = doc.Attempts+1, 0, "", false
	p.logOf(doc).Info("document submitted", "job_id", jobID, "attempt", doc.Attempts)
	return nil
}

// logOf returns the logger for what happens to a document.
func (p *Pipeline) logOf(doc *store.Document) *slog.Logger {
	return p.Logger.With("doc", doc.ID, "path", doc.Source)
}

// logSpared logs why a document was not submitted.
func (p *Pipeline) logSpared(doc *store.Document) {
	log := p.logOf(doc)
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
func (p *Pipeline) storeAnswer(ctx context.Context, doc *store.Document, s docutray.Status, polls int) error {
	a := store.Answer{
		Type: s.Type.Code, Confidence: s.Type.Confidence, Outcome: p.outcome(s.Type.Confidence),
		Alternatives: alternatives(s.Alternatives), Polls: polls, Share: p.ReuseResults > 0,
	}
	p.OnStep(Answered)
	err := p.save(ctx, func(ctx context.Context) error { return p.Store.Identified(ctx, doc.ID, a) })
	if err != nil {
		return fmt.Errorf("identified as %q: %w", a.Type, err)
	}
	doc.State = store.Identified
	p.OnStep(IdentifiedStored)
	p.logOf(doc).Debug("document identified", "job_id", doc.JobID, "type", a.Type, "confidence", a.Confidence)
	p.fileNow.wake()
	return nil
}

// request is how documents are submitted.
func (p *Pipeline) request() store.SubmitRequest {
	return store.SubmitRequest{Options: p.DocumentTypes, ReuseWithin: p.ReuseResults, Outcome: p.outcome}
}

// outcome returns the outcome of an answer with a confidence.
func (p *Pipeline) outcome(confidence float64) store.State {
	if confidence < p.MinConfidence {
		return store.Review
	}
	return store.Filed
}

// alternatives returns the types that the service considered, as JSON for the sidecar; nil
// where there is none beside the answer.
func alternatives(types []docutray.Type) json.RawMessage {
	types = slices.DeleteFunc(slices.Clone(types), func(t docutray.Type) bool { return t.Confidence <= 0 })
	b, err := json.Marshal(types)
	if len(types) < 2 || err != nil {
		return nil
	}
	return b
}
