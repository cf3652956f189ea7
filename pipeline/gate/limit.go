package gate

import (
	"math"
	"time"

	"docusort/pipeline/docutray"
)

// limit is the service's limit, as far as its refusals (429) have taught it. Requests
// that come evenly, a little slower than the limit, use nearly all of it, be it a window,
// a bucket or an even pace. So a refusal tells about how fast requests may come (top),
// and from then on their rate grows with each that it delays:
//
//	rate ▲                      ╱
//	     │                    ╱     top × (1 + bend × (n/steady - 1)³)
//	 top ┤      __________--'
//	     │  _--'         ▲
//	     │ /          n = steady
//	     └────────────────────► n
//
// Most of the time is spent just below the limit, about one request in a hundred is
// refused, and a limit that was raised is found ever faster. Where top is known from few
// requests, steady is small and bend large. A service that never refuses teaches nothing,
// and its requests pass at once.
type limit struct {
	until    time.Time     // everybody waits
	doubt    time.Duration // how much too long that may be
	since    time.Time     // the first refusal of a row
	reason   string
	row      int // refusals since a request was accepted
	refusals int // of requests that were made after the one before was known

	curve
	next    time.Time   // when the next request may pass
	taken   int         // requests that were accepted since the last refusal
	recent  []time.Time // when they were, while no limit is known
	refused stretch     // the newest one; the curve comes from it
}

// curve is how the rate grows after a refusal.
type curve struct {
	top    float64 // requests a second; 0: no limit is known
	steady float64 // requests until the rate is top
	n      int     // requests that the rate has delayed
}

// stretch is what a refusal ended.
type stretch struct {
	taken int // requests that were accepted
	ended time.Time
	curve // by then
}

const (
	bend, bendOfFew = 0.03, 5              // the latter over steady, where that is more
	fewest, most    = 10, 100              // bounds of steady; a minute's requests may be more
	recentKept      = 4096                 // while no limit is known
	longestLearned  = 2 * time.Minute      // a longer pause is a quota, not a pace
	longestPause    = time.Minute          // where the service names none
	slack           = 5 * time.Millisecond // a timer's lateness does not delay the next request
)

// rate returns how many requests a second may pass now.
func (c curve) rate() float64 {
	x, b := float64(c.n)/c.steady-1, bend
	if x > 0 {
		b = max(bend, bendOfFew/c.steady)
	}
	return c.top * (1 + b*x*x*x)
}

// interval is the time between two requests.
func (c curve) interval() time.Duration {
	if c.top == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / c.rate())
}

// passed counts a request that is made now.
func (l *limit) passed(now time.Time) {
	if l.top == 0 {
		return
	}
	if earliest := now.Add(-slack); l.next.Before(earliest) {
		l.next = earliest
	} else {
		l.n++
	}
	l.next = l.next.Add(l.interval())
}

// accepted counts a request that the service took. known is how many refusals were known
// when it was made.
func (l *limit) accepted(known int, now time.Time) {
	switch known {
	case l.refusals:
		l.row = 0
		l.taken++
		if l.top > 0 {
			return
		}
		if l.recent = append(l.recent, now); len(l.recent) > recentKept {
			l.recent = append(l.recent[:0], l.recent[recentKept/2:]...)
		}
	case l.refusals - 1: // it was under way when another one was refused
		l.refused.taken++
		l.learn()
	}
}

// refuse learns from a 429 and pauses everybody. Of the requests that were under way
// together, the first that was refused counts.
func (l *limit) refuse(known int, e *docutray.Error, now time.Time) {
	if known < l.refusals {
		if more := now.Add(e.RetryAfter).Sub(l.until); more > 0 && e.RetryAfter > 0 {
			l.until = l.until.Add(more)
			l.next, l.doubt = l.until, l.doubt+more
		}
		return
	}
	if l.row++; l.row == 1 {
		l.since = now
	}
	l.refusals++
	l.reason = e.Reason()
	pause := e.RetryAfter
	if l.doubt = min(pause, time.Second); pause <= 0 { // our own is longer with each refusal
		pause = min(max(time.Second, l.interval())<<min(l.row-1, 10), longestPause)
		l.doubt = pause
	}
	l.until = now.Add(pause)
	if l.top == 0 {
		l.curve, l.taken = l.densest(now)
	}
	if l.taken > 0 || l.refused.taken == 0 { // otherwise the pause was too short
		l.refused = stretch{taken: l.taken, ended: now, curve: l.curve}
	}
	l.learn()
	l.next, l.n, l.taken, l.recent = l.until, 0, 0, nil
}

// densest returns how fast the requests came until the first refusal, and how many they
// were. There may have been rests before them.
func (l *limit) densest(now time.Time) (c curve, taken int) {
	c = curve{top: math.Inf(1), steady: fewest, n: fewest}
	highest := 0.0
	for i, began := range l.recent {
		n := len(l.recent) - i
		if r := float64(n) / l.until.Sub(began).Seconds(); r > highest {
			highest, taken, c.top = r, n, float64(n)/now.Sub(began).Seconds()
		}
	}
	return c, taken
}

// learn sets the curve by the newest refusal: as many requests as were accepted, at the
// rate at the end, and the pause would have taken so long.
func (l *limit) learn() {
	was, rate := l.refused, l.refused.rate()
	pause := l.until.Sub(was.ended)
	if l.curve = (curve{}); was.taken == 0 || pause > longestLearned {
		return
	}
	n := min(float64(was.taken), 60*rate) // limits are those of a minute at most
	l.top = n / (n/rate + (pause - l.doubt/2).Seconds())
	switch {
	case was.steady <= fewest: // that rate was a guess
	case pause <= l.doubt: // hardly any may have been needed
		l.top = max(l.top, 0.9*rate)
	default: // others may use the same account
		l.top = max(l.top, rate/4)
	}
	if l.top > rate/2 { // the rate was about right
		n = max(n, was.steady)
	}
	l.steady = min(max(2*n, fewest), max(most, 60*l.top))
}

// retryNow ends the pause. What was under way teaches nothing more.
func (l *limit) retryNow(now time.Time) {
	l.until, l.next = now, now
	l.refusals++
}
