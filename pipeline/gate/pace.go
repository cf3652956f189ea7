package gate

import "time"

// pace spreads requests over time where there is a limit. The first request of each
// kind waits here, and while both do they take turns: answers to what is paid for come
// through, and uploads follow.
type pace struct {
	own     limit // ours: its rate alone, which never changes
	limit   limit // the service's
	waiting [2]bool
	last    Kind // the kind that passed last
}

// wait returns how long a request waits; 0: it passes, and is counted.
func (p *pace) wait(kind Kind, now time.Time) time.Duration {
	wait := max(p.limit.until.Sub(now), p.limit.next.Sub(now), p.own.next.Sub(now), 0)
	if p.own.rate+p.limit.rate > 0 && p.waiting[1-kind] && p.last == kind {
		wait = longestWait // the other one wakes this one when it has passed
	}
	if p.waiting[kind] = wait > 0; wait == 0 {
		p.last = kind
		p.spend(now)
	}
	return wait
}

// spend counts a request. A ping does not wait: the next request does.
func (p *pace) spend(now time.Time) {
	p.own.passed(now)
	p.limit.passed(now)
}
