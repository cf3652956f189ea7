package pipeline

import (
	"context"
	"time"

	"docusort/pipeline/gate"
	"docusort/store"
)

// Hold returns the present hold, nil where there is none, and a channel that is closed
// when that may have changed. It also knows a hold that cannot be stored because the
// disk of the database is full.
func (p *Pipeline) Hold() (h *store.Hold, changed <-chan struct{}) {
	held, changed, _ := p.gate.Hold(time.Now())
	return storedHold(held), changed
}

func storedHold(h *gate.Hold) *store.Hold {
	if h == nil {
		return nil
	}
	return &store.Hold{Kind: store.HoldKind(h.Kind), Reason: h.Reason, Since: h.Since, Until: h.Until}
}

// storeHoldAgain is how long to wait after a hold could not be stored.
const storeHoldAgain = 5 * time.Second

// showHolds logs each hold of the gate once, and stores it for the report. When a hold of
// submissions ends, it ends the pauses of the documents that met the trouble.
func (p *Pipeline) showHolds(ctx context.Context) error {
	var logged, stored *store.Hold
	for {
		held, changed, again := p.gate.Hold(time.Now())
		now := storedHold(held)
		if !sameHold(logged, now) {
			p.logHold(logged, now)
			logged = now
		}
		if !sameHold(stored, now) {
			if err := p.Store.SetHold(ctx, now); err == nil {
				stored = now
			} else if soon := time.Now().Add(storeHoldAgain); again.IsZero() || soon.Before(again) {
				again = soon
			}
		}
		if p.gate.Ended() {
			p.endPauses(ctx, false)
		}
		select {
		case <-changed:
		case <-at(again):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endPauses ends the pauses of documents: of those whose submission was refused, or of
// all.
func (p *Pipeline) endPauses(ctx context.Context, all bool) {
	if _, err := p.Store.EndPauses(ctx, all); err != nil && ctx.Err() == nil {
		p.log.Warn("pauses could not be ended", "err", err)
	}
	for _, loop := range []signal{p.dispatchNow, p.parkedNow, p.fileNow} {
		loop.wake()
	}
}

func sameHold(a, b *store.Hold) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// logHold logs a hold that begins, ends or becomes another one.
func (p *Pipeline) logHold(was, now *store.Hold) {
	switch {
	case now == nil:
		p.log.Info("hold ended", "hold", was.Kind)
	case was != nil && was.Kind == now.Kind && was.Since.Equal(now.Since):
		p.log.Debug("still on hold", "hold", now.Kind, "reason", now.Reason, "until", now.Until)
	case now.Kind == store.HoldRate:
		p.log.Info("on hold", "hold", now.Kind, "reason", now.Reason, "until", now.Until)
	case now.Kind == store.HoldService:
		p.log.Warn("on hold", "hold", now.Kind, "reason", now.Reason)
	default:
		p.log.Error("on hold: action required", "hold", now.Kind, "reason", now.Reason, "help", "docusort doctor")
	}
}
