package gate

import (
	"time"

	"docusort/pipeline/docutray"
)

// limit is the service's limit, as far as its refusals (429) have taught it. The rate
// grows, first slowly, and falls to a little below what was measured at each refusal. A
// service that never refuses teaches nothing, and its requests pass at once.
//
// Others may use the same limit. Where a refusal names the limit, everybody grows by the
// same number of requests and falls in proportion, so that the shares become equal.
type limit struct {
	rate float64   // requests a second; 0: no limit is known
	next time.Time // when the next request may pass

	Hold             // keeps everybody back until its end
	row      int     // refusals since a request was accepted
	refusals int     // of requests that were made after the one before was known
	refused  stretch // what the newest refusal ended
	named    float64 // the limit that it named, in requests a second; 0: none
	quota    bool    // its pause was too long for a pace

	taken int       // requests that were accepted since began
	began time.Time // the end of the last pause; while no limit is known, at most a minute ago
	ahead float64   // added to the minutes without a refusal: the rate grows faster
}

// stretch is a time that ended with a refusal.
type stretch struct {
	taken int // requests that were accepted
	took  time.Duration
	ended time.Time
	rate  float64 // at its end; 0: no limit was known
}

const (
	keep  = 0.97   // of the rate that was measured
	yield = 0.25   // of what others have of the limit, in proportion to our own share
	grow  = 0.0002 // times the limit, times the cube of the minutes without a refusal
)

// passed counts a request that is made now.
func (l *limit) passed(now time.Time) {
	if l.next.Before(now) {
		l.next = now
	}
	if l.rate > 0 {
		l.next = l.next.Add(time.Duration(float64(time.Second) / l.rate))
	} else if now.Sub(l.began) > time.Minute {
		l.taken, l.began = 0, now
	}
}

// accepted counts a request that was made when so many refusals were known.
func (l *limit) accepted(known int, now time.Time) {
	switch known {
	case l.refusals:
		l.row = 0
		l.taken++
		if l.rate > 0 && l.next.After(now) { // using less than the rate says nothing of the limit
			l.grow()
		}
	case l.refusals - 1: // it was under way when another one was refused
		l.refused.taken++
		l.learn()
	}
}

// grow raises the rate for one of the requests of a minute.
func (l *limit) grow() {
	requests := 60 * l.rate // in a minute
	quiet := l.ahead + float64(l.taken)/requests
	base := max(l.rate, l.named)
	l.rate += base / requests * min(grow*base*quiet*quiet*quiet, 1)
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
	l.named, l.quota = e.PerMinute/60, pause > 2*time.Minute
	if l.taken > 0 || l.refused.taken == 0 { // otherwise the pause was too short
		l.refused = stretch{l.taken, max(now.Sub(l.began), time.Millisecond), now, l.rate}
	}
	l.learn()
	l.next, l.began, l.taken = l.Until, l.Until, 0
}

// learn sets the rate by the newest refusal: so many requests were accepted in the time
// that they and the pause take.
func (l *limit) learn() {
	was := l.refused
	pause := l.Until.Sub(was.ended).Seconds()
	l.rate, l.ahead = 0, 0
	if was.taken == 0 || l.quota {
		return
	}
	rate := float64(was.taken) / was.took.Seconds()
	if was.rate > 0 && (was.took > 2*time.Minute || rate > was.rate) {
		rate = was.rate // there may have been rests
	}
	span := min(was.took, time.Minute).Seconds() // limits are hardly longer
	l.rate = keep * rate * span / (span + pause)
	switch {
	case was.rate == 0: // others may have been refused for what we took
		l.rate, l.ahead = l.rate/2, 60
	case pause <= 4*max(1, 1/rate): // hardly any of it may have been needed
		l.rate = max(l.rate, 0.92*was.rate)
	case l.rate < rate/2: // others came
		l.rate, l.ahead = rate/2, 6
	}
	if share := l.rate / l.named; share < 1 { // not where none is named
		l.rate *= 1 - yield*share*(1-share)
	}
}
