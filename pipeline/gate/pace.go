package gate

import (
	"time"

	"golang.org/x/time/rate"
)

// pace spreads requests over time where there is a limit. The first request of each
// kind waits here, and while both do they take turns: answers to what is paid for come
// through, and uploads follow.
type pace struct {
	own     *rate.Limiter // nil: no limit of ours
	limit   limit         // the service's
	waiting [kinds]bool
	last    Kind // the kind that passed last
}

func newPace(perMinute int) pace {
	if perMinute <= 0 {
		return pace{}
	}
	return pace{own: rate.NewLimiter(rate.Limit(float64(perMinute)/60), 1)}
}

// wait returns how long a request waits; 0: it passes, and is counted.
func (p *pace) wait(kind Kind, now time.Time) time.Duration {
	wait := max(p.limit.until.Sub(now), p.limit.next.Sub(now), 0)
	switch {
	case p.own == nil && p.limit.rate == 0:
	case p.waiting[1-kind] && p.last == kind:
		wait = longestWait // the other one wakes this one when it has passed
	case p.own != nil && wait == 0:
		reserved := p.own.ReserveN(now, 1)
		if wait = reserved.DelayFrom(now); wait > 0 {
			reserved.CancelAt(now)
		}
	}
	if p.waiting[kind] = wait > 0; wait == 0 {
		p.last = kind
		p.limit.passed(now)
	}
	return wait
}

// spend counts a ping, which does not wait: the next request does.
func (p *pace) spend(now time.Time) {
	if p.own != nil {
		p.own.ReserveN(now, 1)
	}
	p.limit.passed(now)
}
