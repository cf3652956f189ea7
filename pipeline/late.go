package pipeline

import (
	"time"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// answeredLate asks once more for the job of a document that was given up while
// the service still worked on it, before another one is paid for. It says whether
// there is nothing to submit any more: the answer is there, or the work is to stop.
func (p *Pipeline) answeredLate(l lifetimes, doc *store.Document) bool {
	if !doc.JobOpen {
		return false
	}
	status, err := p.askOnceMore(l, doc)
	if l.work.Err() != nil {
		return true
	}
	log := p.log.With("doc", doc.ID, "path", doc.Source, "job_id", doc.JobID)
	switch {
	case err != nil:
		log.Debug("the job that was given up cannot be asked for", "err", err)
		return false
	case status.State != docutray.Succeeded:
		log.Debug("the job that was given up has no answer", "state", status.State)
		return false
	}
	log.Info("the job that was given up has an answer", "after", time.Since(doc.SubmittedAt).Round(time.Second))
	return p.storeAnswer(l.store, doc, status, p.Store.IdentifiedLate) == nil
}

// askOnceMore asks until the service answered about this very job: what everybody
// met meanwhile is waited out at the gate.
func (p *Pipeline) askOnceMore(l lifetimes, doc *store.Document) (docutray.Status, error) {
	for {
		permit, err := p.gate.enter(l.work, request{doc: doc.ID})
		if err != nil {
			return docutray.Status{}, err
		}
		status, err := p.Service.Status(l.work, doc.JobID)
		if l.work.Err() != nil {
			p.gate.abandon(permit)
			return status, l.work.Err()
		}
		p.Store.Polled(doc.ID)
		v := p.gate.done(permit, err)
		e := errorOf(err)
		switch {
		case v == notAtFault && (e.Class == docutray.Rate || e.StatusCode == 401):
		case v == troubled && p.gate.down():
		default:
			return status, err
		}
	}
}
