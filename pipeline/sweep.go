package pipeline

import (
	"context"
	"time"

	"docusort/store"
)

// sweepAll looks again and again for waiting documents whose file was taken out
// of the inbox, which no event tells of where the inbox is polled. Documents
// that have a job are left alone: the file may have been moved within the inbox,
// and the answer is paid for.
func (p *Pipeline) sweepAll(ctx context.Context) error {
	for {
		if err := p.sweep(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-time.After(p.Rescan):
		case <-p.sweepNow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Pipeline) sweep(ctx context.Context) error {
	for after := int64(0); ; {
		docs, err := asked(ctx, p, nil, func(ctx context.Context) ([]store.Document, error) {
			return p.Store.Waiting(ctx, after, 512)
		})
		if err != nil || len(docs) == 0 {
			return err
		}
		after = docs[len(docs)-1].ID
		for i := range docs {
			if gone, err := p.absent(&docs[i]); err == nil && gone {
				p.gone(ctx, &docs[i], "taken out of the inbox before it was submitted")
			}
		}
	}
}
