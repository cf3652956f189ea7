package pipeline

import (
	"math"
	"sync"
	"time"

	"docusort/pipeline/docutray"
)

// limiter is a rate limit as a service may have it. It says whether it takes a
// request, and if not, when it would take one.
type limiter interface {
	take(now time.Time) (ok bool, again time.Time)
}

// fixedWindow takes n requests in each window. One begins with the first request
// after the one before it, or by the clock.
type fixedWindow struct {
	n       int
	window  time.Duration
	byClock bool
	began   time.Time
	taken   int
}

func (l *fixedWindow) take(now time.Time) (bool, time.Time) {
	if now.Sub(l.began) >= l.window {
		l.began, l.taken = now, 0
		if l.byClock {
			l.began = now.Truncate(l.window)
		}
	}
	if l.taken >= l.n {
		return false, l.began.Add(l.window)
	}
	l.taken++
	return true, now
}

// slidingLog takes n requests in any span of one window.
type slidingLog struct {
	n      int
	window time.Duration
	taken  []time.Time
}

func (l *slidingLog) take(now time.Time) (bool, time.Time) {
	for len(l.taken) > 0 && now.Sub(l.taken[0]) >= l.window {
		l.taken = l.taken[1:]
	}
	if len(l.taken) >= l.n {
		return false, l.taken[0].Add(l.window)
	}
	l.taken = append(l.taken, now)
	return true, now
}

// bucket fills with so many a second, up to burst. With a burst of 1 it takes
// nothing but an even pace.
type bucket struct {
	perSecond, burst, tokens float64
	at                       time.Time
}

func (l *bucket) take(now time.Time) (bool, time.Time) {
	if l.at.IsZero() {
		l.tokens, l.at = l.burst, now
	}
	l.tokens, l.at = min(l.burst, l.tokens+now.Sub(l.at).Seconds()*l.perSecond), now
	if l.tokens < 1-1e-6 {
		return false, now.Add(time.Duration((1 - l.tokens) / l.perSecond * float64(time.Second)))
	}
	l.tokens--
	return true, now
}

// telling is how a refusal names the time.
type telling int

const (
	inSeconds telling = iota // rounded up, as Retry-After is
	exactly
	silent
)

func (how telling) refusal(now, again time.Time) *docutray.Error {
	e := answered(429)
	switch how {
	case inSeconds:
		e.RetryAfter = max(time.Second, time.Duration(math.Ceil(again.Sub(now).Seconds()))*time.Second)
	case exactly:
		e.RetryAfter = max(again.Sub(now), time.Millisecond)
	}
	return e
}

// limited is a service behind a limit, and what it was asked.
type limited struct {
	limit limiter
	how   telling

	mu       sync.Mutex
	accepted [2]int // polls, submissions
	refused  int
}

func (s *limited) request(submission bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ok, again := s.limit.take(now)
	if !ok {
		s.refused++
		return s.how.refusal(now, again)
	}
	if submission {
		s.accepted[1]++
	} else {
		s.accepted[0]++
	}
	return nil
}

// is changes the limit.
func (s *limited) is(l limiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = l
}

// use takes from the limit what others take.
func (s *limited) use(every time.Duration, stop <-chan struct{}) {
	for {
		select {
		case <-time.After(every):
			s.mu.Lock()
			s.limit.take(time.Now())
			s.mu.Unlock()
		case <-stop:
			return
		}
	}
}

func (s *limited) seen() (polls, submissions, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted[0], s.accepted[1], s.refused
}

// shares returns, in percent, how much is used of what the limit takes in this
// span, and how many of the requests are refused.
func (s *limited) shares(span time.Duration, perSecond float64) (used, refused float64) {
	polls, submissions, turnedAway := s.seen()
	time.Sleep(span)
	p, q, r := s.seen()
	accepted := float64(p - polls + q - submissions)
	return 100 * accepted / (perSecond * span.Seconds()), 100 * float64(r-turnedAway) / (accepted + float64(r-turnedAway))
}

// saturate makes requests of both kinds as fast as the gate lets them through,
// until the test ends.
func (d *door) saturate(s *limited, pollers, workers int) (end func()) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range pollers + workers {
		r, answer := ask(int64(i)), 20*time.Millisecond
		if i >= pollers {
			r, answer = sub(int64(i)), 100*time.Millisecond
		}
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				p := d.pass(r)
				time.Sleep(20 * time.Millisecond)
				err := s.request(r.submission)
				time.Sleep(answer)
				d.done(p, err)
			}
		})
	}
	return func() { close(stop); all.Wait() }
}
