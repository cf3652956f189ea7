package docutraytest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateForm is what a 429 says about the wait.
type RateForm int

// The forms of a 429.
const (
	RateFull    RateForm = iota // headers and body, as documented
	RateSilent                  // nothing
	RateHeaders                 // only the X-RateLimit headers
)

// rateLimit counts requests against a limit.
type rateLimit struct {
	limit, burst int // see Options
	window       time.Duration

	mu       sync.Mutex
	began    time.Time // the current window, with its first request
	accepted int       // in it
	full     time.Time // when the bucket would be full again
}

// kind is what the service calls a limit for such a window.
func (l *rateLimit) kind() string {
	switch {
	case l.window >= 24*time.Hour:
		return "day"
	case l.window >= time.Hour:
		return "hour"
	}
	return "minute"
}

// take counts a request, and reports how many more would be accepted now. If it is
// over the limit, reset is when the next one would be accepted.
func (l *rateLimit) take(now time.Time) (ok bool, remaining int, reset time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.burst > 0 {
		return l.takeFromBucket(now)
	}
	if now.Sub(l.began) >= l.window {
		l.began, l.accepted = now, 0
	}
	if ok = l.accepted < l.limit; ok {
		l.accepted++
	}
	return ok, l.limit - l.accepted, l.began.Add(l.window)
}

// takeFromBucket uses a bucket that fills evenly. The caller holds mu.
func (l *rateLimit) takeFromBucket(now time.Time) (ok bool, remaining int, reset time.Time) {
	every := l.window / time.Duration(l.limit)
	if l.full.Before(now) {
		l.full = now
	}
	reset = l.full.Add(-time.Duration(l.burst-1) * every)
	if reset.After(now) {
		return false, 0, reset
	}
	remaining = int(now.Sub(reset) / every)
	l.full = l.full.Add(every)
	return true, remaining, reset.Add(every)
}

// admit reports whether the rate limit admits a request, or answers 429. It
// rounds times up, so that a client that waits so long is admitted.
func (s *Server) admit(w http.ResponseWriter) bool {
	if s.opts.RateLimit <= 0 {
		return true
	}
	now := time.Now()
	ok, remaining, reset := s.rate.take(now)
	unix := reset.Add(time.Second - time.Nanosecond).Unix()
	if s.opts.RateForm != RateSilent {
		for name, value := range map[string]any{"Limit-Type": s.rate.kind(), "Limit": s.opts.RateLimit, "Remaining": remaining, "Reset": unix} {
			w.Header().Set("X-RateLimit-"+name, fmt.Sprint(value))
		}
	}
	if ok {
		return true
	}
	body := object{"error": "Rate limit exceeded", "limitType": s.rate.kind(), "limit": s.opts.RateLimit, "remaining": 0}
	if s.opts.RateForm == RateFull {
		wait := int(math.Ceil(reset.Sub(now).Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		body["retryAfter"], body["resetTime"] = wait, unix
	}
	writeJSON(w, http.StatusTooManyRequests, body)
	return false
}
