package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// limit is the service's limit, as far as its refusals (429) have taught it. The rate
// grows in small steps and falls to a little below what was measured at each refusal. A
// service that never refuses teaches nothing, and its requests pass at once.
type limit struct {
	pause
	refusals int       // of requests that were made after the one before was known
	refused  stretch   // what the newest refusal ended; the rate was measured in it
	rate     float64   // requests a second; 0: no limit is known
	few      bool      // the rate was measured from few requests
	next     time.Time // when the next request may pass
	taken    int       // requests that were accepted since the last pause
	step     int       // those of them since stepAt
	stepAt   time.Time // while no limit is known, taken counts since then
	quiet    int       // steps in a row that used the rate and met no refusal
}

// pause keeps everybody back after one or more refusals in a row.
type pause struct {
	until  time.Time
	since  time.Time // the first refusal of the row
	reason string
	row    int // refusals since a request was accepted
}

// stretch is a time that ended with a refusal.
type stretch struct {
	taken int // requests that were accepted
	ended time.Time
	rate  float64 // at its end
	first bool    // no limit was known
}

const (
	keep           = 0.97 // of the rate that was measured
	grow, growFast = 1.02, 1.25
	quietSteps     = 5           // then the rate grows fast
	stepTime       = time.Minute // at least, and
	stepRequests   = 50
	fewRequests    = 10
	used           = 0.8             // of the rate: using less says nothing of the limit
	longestLearned = 2 * time.Minute // a longer pause is a quota, not a pace
	longestPause   = time.Minute     // where the service names none
)

// passed counts a request that is made now.
func (l *limit) passed(now time.Time) {
	if l.rate == 0 {
		return
	}
	if l.next.Before(now) {
		l.next = now
	}
	l.next = l.next.Add(time.Duration(float64(time.Second) / l.rate))
}

// accepted counts a request that was made when so many refusals were known.
func (l *limit) accepted(known int, now time.Time) {
	switch known {
	case l.refusals:
		l.row = 0
		if l.rate == 0 {
			l.forget(now)
		} else {
			l.grow(now)
		}
		l.taken++
	case l.refusals - 1: // it was under way when another one was refused
		l.refused.taken++
		l.learn()
	}
}

// forget keeps taken, while no limit is known, to those of a minute.
func (l *limit) forget(now time.Time) {
	if now.Sub(l.stepAt) > stepTime {
		l.taken, l.stepAt = 0, now
	}
}

// grow raises the rate at the end of a step.
func (l *limit) grow(now time.Time) {
	l.step++
	took := now.Sub(l.stepAt)
	if l.step < fewRequests || !l.few && (l.step < stepRequests || took < stepTime) {
		return
	}
	if float64(l.step) < used*l.rate*took.Seconds() {
		l.quiet = 0
	} else if l.quiet++; l.few || l.quiet > quietSteps {
		l.rate *= growFast
	} else {
		l.rate *= grow
	}
	l.step, l.stepAt = 0, now
}

// refuse learns from a 429 and pauses everybody. Of the requests that were under way
// together, the first that was refused counts.
func (l *limit) refuse(known int, e *docutray.Error, now time.Time) {
	if known < l.refusals {
		l.until = now.Add(max(e.RetryAfter, l.until.Sub(now)))
		return
	}
	if l.row++; l.row == 1 {
		l.since = now
	}
	l.refusals, l.reason = l.refusals+1, e.Reason()
	first := l.rate == 0
	if first {
		l.forget(now)
		l.rate = float64(l.taken+1) / max(time.Millisecond, now.Sub(l.stepAt)).Seconds()
	}
	lasts := e.RetryAfter
	if lasts <= 0 { // our own is longer with each refusal
		lasts = min(time.Second<<min(l.row-1, 10), longestPause)
	}
	l.until = now.Add(lasts)
	if l.taken > 0 || l.refused.taken == 0 { // otherwise the pause was too short
		l.refused = stretch{l.taken, now, l.rate, first}
	}
	l.learn()
	l.next, l.stepAt, l.taken, l.step, l.quiet = l.until, l.until, 0, 0, 0
}

// learn sets the rate by the newest refusal: so many requests were accepted in the time
// that they and the pause take.
func (l *limit) learn() {
	was := l.refused
	pause := l.until.Sub(was.ended)
	if l.rate = 0; was.taken == 0 || pause > longestLearned {
		return
	}
	n := min(float64(was.taken), 60*was.rate) // a minute's: limits are hardly longer
	l.rate = keep * n / (n/was.rate + pause.Seconds())
	switch l.few = was.first || n < fewRequests; {
	case was.first:
	case pause.Seconds() <= 4*max(1, 1/was.rate): // hardly any may have been needed
		l.rate, l.few = max(l.rate, 0.92*was.rate), false
	default: // others may use the same account
		l.rate = max(l.rate, was.rate/4)
	}
}

// retryNow ends the pause. What was under way teaches nothing more.
func (l *limit) retryNow(now time.Time) {
	l.until, l.next = now, now
	l.refusals += 2
}
