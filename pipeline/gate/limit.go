package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// limit is the service's limit, as far as its refusals (429) have taught it: additive
// increase, multiplicative decrease.
//
//	refused: rate = 0.97 × what was accepted since the last pause, over the time from
//	                then to the end of this pause
//	each step of 50 requests, or of a minute, that used the rate: rate × 1.02
//	after five such steps in a row:                               rate × 1.25
//	while the rate comes from few requests, each ten requests:    rate × 1.25
//
// Requests that come evenly, a little slower than the limit, use nearly all of it, be it
// a window, a bucket or an even pace. A service that never refuses teaches nothing, and
// its requests pass at once.
type limit struct {
	until    time.Time // everybody waits
	since    time.Time // the first refusal of a row
	reason   string
	refusals int // of requests that were made after the one before was known
	row      int // refusals since a request was accepted

	rate   float64   // requests a second; 0: no limit is known
	few    bool      // it comes from few requests
	next   time.Time // when the next request may pass
	taken  accepted  // since the last pause
	step   accepted  // since the rate was set
	quiet  int       // steps in a row without a refusal
	recent []time.Time
}

// accepted counts requests that the service took since a time.
type accepted struct {
	n     int
	since time.Time
}

const (
	keep, grow, growFast = 0.97, 1.02, 1.25
	quietSteps           = 5
	stepRequests         = 50
	fewRequests          = 10
	stepTime             = time.Minute
	used                 = 0.8                   // of the rate: less says nothing of the limit
	recentKept           = 4096                  // while no limit is known
	longestLearned       = 2 * time.Minute       // a longer pause is a quota, not a pace
	slack                = 20 * time.Millisecond // a timer's lateness does not delay the next request
	longestOwnPause      = time.Minute           // where the service names none
)

// passed counts a request that is made now.
func (l *limit) passed(now time.Time) {
	if l.rate == 0 {
		return
	}
	if earliest := now.Add(-slack); l.next.Before(earliest) {
		l.next = earliest
	}
	l.next = l.next.Add(time.Duration(float64(time.Second) / l.rate))
}

// accepted counts a request that the service took. known is how many refusals were known
// when it was made.
func (l *limit) accepted(known int, now time.Time) {
	if known < l.refusals {
		return
	}
	l.row = 0
	l.taken.n++
	if l.rate == 0 {
		if l.recent = append(l.recent, now); len(l.recent) > recentKept {
			l.recent = append(l.recent[:0], l.recent[recentKept/2:]...)
		}
		return
	}
	l.step.n++
	enough, took := stepRequests, now.Sub(l.step.since)
	if l.few {
		enough = fewRequests
	}
	if l.step.n < enough && took < stepTime {
		return
	}
	if l.quiet++; float64(l.step.n) < used*l.rate*took.Seconds() {
		l.quiet = 0
	} else if l.few || l.quiet > quietSteps {
		l.rate *= growFast
	} else {
		l.rate *= grow
	}
	l.step = accepted{since: now}
}

// refused learns from a 429 and pauses everybody. Of the requests that were under way
// together, only the first that was refused teaches anything.
func (l *limit) refused(known int, e *docutray.Error, now time.Time) {
	if known < l.refusals {
		if until := now.Add(e.RetryAfter); until.After(l.until) && e.RetryAfter > 0 {
			l.until = until
		}
		return
	}
	if l.row++; l.row == 1 {
		l.since = now
	}
	l.refusals++
	l.reason = e.Reason()
	l.until = now.Add(l.pause(e))
	l.learn(now)
	l.next, l.taken, l.step, l.quiet, l.recent = l.until, accepted{since: l.until}, accepted{since: l.until}, 0, nil
}

// pause is how long to wait: as the service says, else longer with each refusal.
func (l *limit) pause(e *docutray.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	first := time.Second
	if l.rate > 0 {
		first = max(first, time.Duration(float64(time.Second)/l.rate))
	}
	return min(first<<min(l.row-1, 10), longestOwnPause)
}

// learn sets the rate by what was accepted until a refusal. Where no limit was known,
// the densest stretch counts: there may have been long rests before it.
func (l *limit) learn(now time.Time) {
	if l.until.Sub(now) > longestLearned {
		l.rate = 0
		return
	}
	n, measured := l.taken.n, float64(l.taken.n)/l.until.Sub(l.taken.since).Seconds()
	if l.rate == 0 {
		measured = 0
		for i, began := range l.recent {
			if r := float64(len(l.recent)-i) / l.until.Sub(began).Seconds(); r > measured {
				n, measured = len(l.recent)-i, r
			}
		}
	}
	switch {
	case n == 0: // others used it up, or the pause was too short
	case l.rate == 0:
		l.rate, l.few = keep*measured, true
	default: // others may use the same account: no refusal alone lowers it much
		l.rate, l.few = min(l.rate, max(keep*measured, l.rate/4)), n < fewRequests
	}
}
