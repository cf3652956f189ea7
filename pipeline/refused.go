package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"
)

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
			log.Warn("submission refused; will try again", "err", err, "outcome_unknown", e.OutcomeUnknown, "pause", pause)
		}
		p.putBack(ctx, doc, store.Refusal{Reason: e.Reason(), Unknown: e.OutcomeUnknown, RetryAt: time.Now().Add(pause)})
	case errors.Is(err, filing.ErrChanged):
		log.Info("document changed while it was uploaded; waiting for it to settle")
		p.putBack(ctx, doc, store.Refusal{
			Reason: "changed while it was uploaded", Unknown: e.OutcomeUnknown, RetryAt: time.Now().Add(p.Settle + firstPause), Own: true,
		})
	case e.Class == docutray.Local && !errors.Is(err, context.Canceled):
		log.Warn("document could not be uploaded; will try again", "err", err)
		p.putBack(ctx, doc, store.Refusal{
			Reason: e.Reason(), Unknown: e.OutcomeUnknown, RetryAt: time.Now().Add(pauseAfter(doc.Refusals + 1)), Own: true,
		})
	default:
		log.Debug("submission put off", "err", err)
		p.putBack(ctx, doc, store.Refusal{Unknown: e.OutcomeUnknown, Blameless: true})
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
