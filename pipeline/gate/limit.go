package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// limit is the service's limit, as far as its refusals (429) have taught it. The rate
// grows in small steps and falls to a little below what was measured at each refusal. A
// service that never refuses teaches nothing, and its requests pass at once.
type limit struct {
	rate float64   // requests a second; 0: no limit is known
	next time.Time // when the next request may pass

	Hold             // keeps everybody back until its end
	row      int     // refusals since a request was accepted
	refusals int     // of requests that were made after the one before was known
	refused  stretch // what the newest refusal ended

	taken  int       // requests that were accepted since the last pause
	step   int       // those of them since stepAt
	stepAt time.Time // while no limit is known, taken counts since then
	quiet  int       // steps that used the rate and met no refusal
}

// stretch is a time that ended with a refusal.
type stretch struct {
	taken int // requests that were accepted
	ended time.Time
	rate  float64 // at its end
	first bool    // no limit was known
}

const (
	keep         = 0.97        // of the rate that was measured
	stepTime     = time.Minute // at least, and
	stepRequests = 40
	grow         = 0.02 // of the rate, times the quiet steps
	quietFew     = 12   // as if there had been so many, where few requests were measured
	used         = 0.8  // of the rate: using less says nothing of the limit
)

// passed counts a request that is made now.
func (l *limit) passed(now time.Time) {
	if l.next.Before(now) {
		l.next = now
	}
	if l.rate > 0 {
		l.next = l.next.Add(time.Duration(float64(time.Second) / l.rate))
	} else if now.Sub(l.stepAt) > stepTime { // taken is kept to a minute's
		l.taken, l.stepAt = 0, now
	}
}

// accepted counts a request that was made when so many refusals were known.
func (l *limit) accepted(known int, now time.Time) {
	switch known {
	case l.refusals:
		l.row = 0
		l.taken++
		l.grow(now)
	case l.refusals - 1: // it was under way when another one was refused
		l.refused.taken++
		l.learn()
	}
}

// grow raises the rate at the end of a step: the more, the longer none was refused.
func (l *limit) grow(now time.Time) {
	l.step++
	took := now.Sub(l.stepAt)
	if l.rate == 0 || l.step < stepRequests || l.quiet < quietFew && took < stepTime {
		return
	}
	if float64(l.step) >= used*l.rate*took.Seconds() {
		l.quiet++
		l.rate *= 1 + grow*float64(min(l.quiet, quietFew))
	}
	l.step, l.stepAt = 0, now
}

// refuse learns from a 429 and pauses everybody. Of the requests that were under way
// together, the first that was refused counts.
func (l *limit) refuse(known int, e *docutray.Error, now time.Time) {
	pause := e.RetryAfter
	if known < l.refusals {
		l.Until = now.Add(max(pause, l.Until.Sub(now)))
		return
	}
	if l.row++; l.row == 1 {
		l.Since = now
	}
	if pause <= 0 { // our own is longer with each refusal
		pause = min(time.Second<<min(l.row-1, 10), time.Minute)
	}
	l.Kind, l.Reason, l.Until = Rate, e.Reason(), now.Add(pause)
	l.refusals++
	if l.taken > 0 || l.refused.taken == 0 { // otherwise the pause was too short
		l.refused = stretch{l.taken, now, l.rate, l.rate == 0}
		if l.rate == 0 {
			l.refused.rate = float64(l.taken+1) / max(time.Millisecond, now.Sub(l.stepAt)).Seconds()
		}
	}
	l.learn()
	l.next, l.stepAt, l.taken, l.step = l.Until, l.Until, 0, 0
}

// learn sets the rate by the newest refusal: so many requests were accepted in the time
// that they and the pause take.
func (l *limit) learn() {
	was := l.refused
	pause := l.Until.Sub(was.ended)
	l.rate, l.quiet = 0, 0
	if was.taken == 0 || pause > 2*time.Minute {
		return // so long a pause is a quota, not a pace
	}
	n := min(float64(was.taken), 60*was.rate) // a minute's: limits are hardly longer
	l.rate = keep * n / (n/was.rate + pause.Seconds())
	switch short := pause.Seconds() <= 4*max(1, 1/was.rate); {
	case was.first, !short && n < stepRequests:
		l.quiet = quietFew
	case short: // hardly any of the pause may have been needed
		l.rate = max(l.rate, 0.92*was.rate)
	}
}
