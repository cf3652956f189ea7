package gate_test

import (
	"math"
	"sync"
	"time"

	"docusort/pipeline/gate"
)

// limiter is a rate limit as a service may have it. It says whether it takes a request,
// and if not, when it would take one.
type limiter interface {
	take(now time.Time) (ok bool, again time.Time)
}

// window takes n requests in each span of time. One begins with the first request after
// the one before it, or by the clock.
type window struct {
	n       int
	span    time.Duration
	byClock bool
	began   time.Time
	taken   int
}

func (l *window) take(now time.Time) (bool, time.Time) {
	if now.Sub(l.began) >= l.span {
		l.began, l.taken = now, 0
		if l.byClock {
			l.began = now.Truncate(l.span)
		}
	}
	if l.taken >= l.n {
		return false, l.began.Add(l.span)
	}
	l.taken++
	return true, now
}

// slidingLog takes n requests in any span of that length.
type slidingLog struct {
	n     int
	span  time.Duration
	taken []time.Time
}

func (l *slidingLog) take(now time.Time) (bool, time.Time) {
	for len(l.taken) > 0 && now.Sub(l.taken[0]) >= l.span {
		l.taken = l.taken[1:]
	}
	if len(l.taken) >= l.n {
		return false, l.taken[0].Add(l.span)
	}
	l.taken = append(l.taken, now)
	return true, now
}

// bucket fills with so many a second, up to burst. With a burst of 1 it takes nothing
// but an even pace.
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

// service is one behind a limit, and what it was asked.
type service struct {
	silent    bool    // its refusals name no time
	perMinute float64 // the limit that they name; 0: none

	mu       sync.Mutex
	limit    limiter
	accepted [2]int // polls, submissions
	refused  int
}

func (s *service) request(kind gate.Kind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ok, again := s.limit.take(now)
	switch {
	case ok:
		s.accepted[kind]++
		return nil
	case s.silent:
		s.refused++
		return tooMany(0)
	}
	s.refused++
	e := tooMany(max(1, time.Duration(math.Ceil(again.Sub(now).Seconds()))) * time.Second)
	e.PerMinute = s.perMinute
	return e
}

func (s *service) setLimit(l limiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = l
}

// useByOthers takes from the limit what others take.
func (s *service) useByOthers(every time.Duration, stop <-chan struct{}) {
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

func (s *service) counts() (polls, submissions, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted[gate.Poll], s.accepted[gate.Submission], s.refused
}

// shares returns, in percent, how much is used of what the limit takes in this span, and
// how many of the requests are refused.
func (s *service) shares(span time.Duration, perMinute float64) (used, refused float64) {
	p0, q0, r0 := s.counts()
	time.Sleep(span)
	p, q, r := s.counts()
	accepted, turnedAway := float64(p-p0+q-q0), float64(r-r0)
	return 100 * accepted / (perMinute * span.Minutes()), 100 * turnedAway / (accepted + turnedAway)
}

// saturate makes requests of both kinds as fast as the gate lets them through.
func (d *door) saturate(s *service, pollers, workers int) (end func()) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range pollers + workers {
		kind, takes := gate.Poll, 20*time.Millisecond
		if i >= pollers {
			kind, takes = gate.Submission, 100*time.Millisecond
		}
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				permit := d.acquire(kind)
				time.Sleep(20 * time.Millisecond)
				err := s.request(kind)
				time.Sleep(takes)
				permit.Done(d.t.Context(), int64(i), err)
			}
		})
	}
	return func() { close(stop); all.Wait() }
}
