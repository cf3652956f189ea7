package pipeline

import (
	"context"
	"time"

	"docusort/store"
)

// recordHolds shows what the gate holds for: in the log once, in the record for
// the report. It also ends the pauses of documents when the trouble that they
// met has passed.
func (p *Pipeline) recordHolds(ctx context.Context) error {
	var last, stored *store.Hold
	for {
		if last != nil && p.idle(ctx) {
			p.gate.liftIdle()
		}
		now, changed, again := p.gate.shown(time.Now())
		if !sameHold(last, now) {
			p.logHold(last, now)
			last = now
		}
		if !sameHold(stored, now) {
			if err := p.Store.SetHold(ctx, now); err == nil {
				stored = now
			} else if soon := time.Now().Add(storeHoldAgain); again.IsZero() || soon.Before(again) {
				again = soon // the disk of the record may be what the hold is about
			}
		}
		if later := time.Now().Add(idleCheck); now != nil && (again.IsZero() || later.Before(again)) {
			again = later
		}
		select {
		case <-changed:
		case <-at(again):
		case <-p.gate.lifted:
			p.endPauses(ctx, p.Store.RetryNow)
		case <-p.retryNow:
			p.endPauses(ctx, p.Store.RetryAll)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endPauses lets documents that wait out a pause be submitted now.
func (p *Pipeline) endPauses(ctx context.Context, end func(context.Context) (int64, error)) {
	if _, err := end(ctx); err != nil && ctx.Err() == nil {
		p.log.Warn("pauses could not be ended", "err", err)
	}
	p.submitWake.wake()
}

// idleCheck is how often it is seen whether a hold still keeps anything.
const idleCheck = time.Minute

// idle says whether no document needs the service: then no request will find out
// whether trouble has passed, and the hold holds nothing.
func (p *Pipeline) idle(ctx context.Context) bool {
	begun := p.begun.Load()
	if p.inFlight.Load() > 0 {
		return false
	}
	ever := time.Now().Add(10 * longestPause)
	waiting, err := p.Store.Submittable(ctx, ever, 1)
	// What was begun meanwhile was not seen waiting.
	return err == nil && len(waiting) == 0 && begun == p.begun.Load()
}

// storeHoldAgain is when a hold is stored that could not be.
const storeHoldAgain = 5 * time.Second

func sameHold(a, b *store.Hold) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Reason == b.Reason && a.Since.Equal(b.Since) && a.Until.Equal(b.Until)
}

// logHold tells the beginning and the end of a hold, and nothing in between.
func (p *Pipeline) logHold(last, now *store.Hold) {
	switch {
	case now == nil:
		p.log.Info("work goes on", "hold", last.Kind, "lasted", time.Since(last.Since).Round(time.Second))
	case last != nil && last.Kind == now.Kind && last.Since.Equal(now.Since):
	case now.Kind == store.HoldRate:
		p.log.Info("work waits", "hold", now.Kind, "reason", now.Reason, "until", now.Until)
	case now.Kind == store.HoldService:
		p.log.Warn("work waits", "hold", now.Kind, "reason", now.Reason)
	default:
		p.log.Error("work waits for somebody to act", "hold", now.Kind, "reason", now.Reason, "help", "docusort doctor")
	}
}
