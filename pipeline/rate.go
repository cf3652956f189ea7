package pipeline

import "time"

// learned is the pace that the service's refusals taught: how many requests a
// second it seems to take. A service that never refuses teaches none, and its
// requests pass at once.
//
// Limits are windows, logs, buckets or an even pace, and nobody says which. What
// they have in common is that requests which come evenly, a little slower than
// the limit, are taken by all of them and use nearly all of it. So:
//
//	first refusal:  top = the most that was accepted in a recent span,
//	                      over that span and the pause
//	refusal:        top = accepted since the pause before, or since the pace
//	                      was much slower, over the time that took and the pause
//	from then on:   requests pass evenly, beginning when the pause ends, at
//
//	pace ▲                        ╱   after n requests, with x = n/steady − 1:
//	     │                      ╱
//	 top ┤       ___________--'         top · (1 + margin·x³)  while x < 0
//	     │   _--'           ▲           top · (1 + steep·x³)   after that
//	     │ /            x = 0
//	     └─────────────────────► n
//
// So most of the time is spent just below what the service takes, the next
// refusal comes after about steady requests, and a limit that was raised is found
// ever faster after that; far above top the limit is taken for gone. steady is
// a minute's worth, and a hundred at least, because each refusal is one request
// in as many and its pause, rounded up to seconds, may waste one. Where top is
// known from a few requests only steady is small and steep large, so that the
// guess doubles its precision with every refusal. A refusal never raises the
// pace, and one alone does not lower it to less than a quarter: others may use
// the same account.
//
// After a rest a few requests may go at once, as many as once did: those of the
// documents that somebody drops together. A refusal of such a burst teaches that
// there were too many, not that the pace is wrong.
//
// Where the service makes us wait for longer than a minute or two, an even pace
// would be far too slow for a document that comes alone: then nothing is learned,
// and requests pass at once until the service refuses again.
type learned struct {
	top      float64 // requests a second; 0: no limit is known
	rough    bool    // top is from a burst
	steady   float64
	steep    float64
	n        int       // requests since the last refusal
	burst    float64   // requests that may go at once after a rest
	next     time.Time // when the next may pass; a time long ago: several may
	resumed  time.Time // when the last pause ended
	stretch  stretch   // since the last pause or rest
	recent   recent
	last     refusal
	refusals int // ever, of requests that were made after the one before was known
}

// refusal is the newest one, with what it was learned from. All that was refused
// on its way at the same time is one, and so is what is refused when the pause
// ends before anything is accepted.
type refusal struct {
	at      time.Time
	sent    int           // accepted in the stretch before
	span    time.Duration // which took that long
	top     float64       // before it
	pace    float64       // before it
	pause   time.Duration // that followed, once the next one is known
	steady  float64       // before it
	rough   bool          // before it
	left    bool          // of the burst after a rest there was some left
	cold    bool          // nothing was known before it
	earlier *refusal      // the one before, where no rest came between
	joined  bool          // it is the one before that goes on
}

const (
	margin         = 0.03
	fewest         = 10
	mostSteady     = 100 // or a minute's worth, where that is more
	rise           = 1.1
	shortest       = 30 * time.Second
	confirmed      = 0.5 // of the pace: a smaller correction is a finer one
	lowered        = 4   // the most that one refusal divides the pace by
	forgetAt       = 8   // times steady, after which the limit is gone
	forgetAfter    = 24 * time.Hour
	longestLearned = 2 * time.Minute
	// slack is how much a request that passed late, as timers are, lets the next
	// one pass earlier.
	slack = 10 * time.Millisecond
)

// pace returns the requests a second that may pass now.
func (l *learned) pace() float64 {
	x := float64(l.n)/l.steady - 1
	if x < 0 {
		return l.top * (1 + margin*x*x*x)
	}
	return l.top * (1 + l.steep*x*x*x)
}

// interval is the time between two requests.
func (l *learned) interval() time.Duration { return duration(1 / l.pace()) }

// wait returns how long the next request waits; 0: none.
func (l *learned) wait(now time.Time) time.Duration {
	if l.top == 0 {
		return 0
	}
	if now.Sub(l.last.at) > forgetAfter {
		l.forget()
		return 0
	}
	return max(l.next.Sub(now), 0)
}

// spend counts a request that passes.
func (l *learned) spend(now time.Time) {
	l.recent.add(now)
	if l.top == 0 {
		return
	}
	interval := l.interval()
	full := now.Add(-slack - time.Duration((l.burst-1)*float64(interval)))
	if rested := full.Sub(l.next); rested > 0 {
		if l.next = full; rested > time.Second+2*interval {
			l.stretch = stretch{rested: true}
		}
	}
	l.next = l.next.Add(interval)
	l.stretch.add(now, l.pace())
	if l.n++; float64(l.n) > forgetAt*l.steady {
		l.forget()
	}
}

// refused learns from a 429 that pauses all requests until then. generation is
// refusals as it was when the request was made: of several that were on their
// way together the first is learned from, and the others correct it.
func (l *learned) refused(generation int, now, until time.Time) {
	switch generation {
	case l.refusals:
		l.begin(now, until)
	case l.refusals - 1:
	default:
		return // it says nothing of the pace since
	}
	r := &l.last
	if !r.joined {
		r.sent-- // it was counted
		if r.sent == 0 && r.earlier != nil {
			*r = *r.earlier
			r.joined = true
		}
	}
	l.learn(r, until)
}

// begin keeps what the refusal can be learned from, and ends the stretch.
func (l *learned) begin(now, until time.Time) {
	r := refusal{at: now, sent: l.stretch.sent(), top: l.top, steady: l.steady, rough: l.rough}
	if l.top == 0 {
		r.cold = true
		r.sent, r.span = l.recent.most(now, until.Sub(now))
	} else {
		r.pace = l.pace()
		r.span = l.stretch.span(now)
		r.left = float64(r.sent) < l.burst && now.Sub(l.next) > duration(1/r.pace)
	}
	if earlier := l.last; earlier.sent > 0 && !l.stretch.rested {
		earlier.earlier, earlier.pause = nil, l.resumed.Sub(earlier.at)
		r.earlier = &earlier
	}
	l.last = r
	l.refusals++
	l.stretch, l.recent = stretch{}, recent{}
}

// learn sets the pace by the newest refusal.
func (l *learned) learn(r *refusal, until time.Time) {
	pause := until.Sub(r.at)
	l.resumed = until
	switch {
	case pause > longestLearned:
		l.forget()
		return
	case r.sent <= 0: // others used it up
		l.top, l.steady, l.rough, l.next = r.top, r.steady, r.rough, until
		return
	case r.left:
		l.burst, l.next = max(1, 0.9*float64(r.sent)), until
		return
	}
	pause -= min(pause, time.Second) / 2 // it is in whole seconds or ours, half of one too long
	sent, took := float64(r.sent), r.span+pause
	if e := r.earlier; e != nil && !e.cold && r.span < e.span/4 {
		sent, took = sent+float64(e.sent), took+e.span+e.pause // too short to tell much
	}
	l.top = sent / took.Seconds()
	if !r.cold {
		// The pace rose: on the whole it was slower than what was too fast at last.
		atLast := sent / (sent/r.pace + pause.Seconds())
		l.top = min((l.top+atLast)/2, l.top*(1+2*margin))
	}
	switch {
	case r.cold:
		l.burst = max(1, 0.9*(sent-l.top*r.span.Seconds()))
	case r.rough:
		l.top = min(l.top, r.pace)
	default:
		l.top = min(max(l.top, r.pace/lowered), r.pace)
	}
	l.rough, l.n, l.next = r.cold, 0, until
	known := sent
	if l.top > r.pace*confirmed {
		known = max(sent, r.steady) // that the pace was about right
	}
	l.steady = min(max(2*known, fewest), max(mostSteady, 60*l.top))
	l.steep = max(margin, fewest/(2*l.steady))
}

// pause is how long to wait where the service names no time: for one more request.
func (l *learned) pause() time.Duration {
	if l.top == 0 {
		return time.Second
	}
	return min(max(l.interval(), time.Second), time.Minute)
}

func (l *learned) forget() {
	*l = learned{refusals: l.refusals, recent: l.recent}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
