package pipeline

import (
	"context"
	"time"

	"docusort/store"
)

// Hold returns the present hold, nil where there is none, and a channel that is closed
// when that may have changed. It also knows a hold that cannot be stored because the
// disk of the database is full.
func (p *Pipeline) Hold() (h *store.Hold, changed <-chan struct{}) {
	held, changed := p.gate.Hold(time.Now())
	if held == nil {
		return nil, changed
	}
	return &store.Hold{Kind: store.HoldKind(held.Kind), Reason: held.Reason, Since: held.Since, Until: held.Until}, changed
}

// HoldDisk begins a hold because of a disk, of which name tells it from others, or ends it
// where reason is empty.
func (p *Pipeline) HoldDisk(name, reason string) { p.gate.HoldDisk(name, reason) }

// lookAgain is how long to wait with a hold that may end by itself, or was not stored.
const lookAgain = 5 * time.Second

// showHolds logs each hold of the gate once, and stores it for the report. When a hold
// ends, documents that met the trouble need not wait out their pauses.
func (p *Pipeline) showHolds(ctx context.Context) error {
	var logged, stored *store.Hold
	for {
		held, changed := p.Hold()
		if !sameHold(logged, held) {
			p.logHold(logged, held)
			if logged != nil && logged.Kind != store.HoldRate && (held == nil || held.Kind == store.HoldRate) {
				p.endPauses(ctx, false)
			}
			logged = held
		}
		if !sameHold(stored, held) && p.Store.SetHold(ctx, held) == nil {
			stored = held
		}
		var again <-chan time.Time
		if held != nil || stored != nil {
			again = time.After(lookAgain)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endPauses ends the pauses of documents: of those whose submission was refused, or of
// all.
func (p *Pipeline) endPauses(ctx context.Context, all bool) {
	if _, err := p.Store.EndPauses(ctx, all); err != nil && ctx.Err() == nil {
		p.Logger.Warn("pauses could not be ended", "err", err)
	}
	p.wakeAll()
}

// wakeAll has the loops look for what is due.
func (p *Pipeline) wakeAll() {
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
		p.Logger.Info("hold ended", "hold", was.Kind)
	case was != nil && was.Kind == now.Kind && was.Since.Equal(now.Since):
		p.Logger.Debug("still on hold", "hold", now.Kind, "reason", now.Reason, "until", now.Until)
	case now.Kind == store.HoldRate:
		p.Logger.Info("on hold", "hold", now.Kind, "reason", now.Reason, "until", now.Until)
	case now.Kind == store.HoldService:
		p.Logger.Warn("on hold", "hold", now.Kind, "reason", now.Reason)
	default:
		p.Logger.Error("on hold: action required", "hold", now.Kind, "reason", now.Reason, "help", p.Doctor)
	}
}
