package docutraytest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
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

// RateWindow counts the requests in one window of the rate limit.
type RateWindow struct {
	Began    time.Time `json:"began"`
	Accepted int       `json:"accepted"`
	Refused  int       `json:"refused"`
}

// keepWindows is how many windows are remembered.
const keepWindows = 100

// rateLimit counts requests against a limit.
type rateLimit struct {
	limit, burst int // see Options
	window       time.Duration

	mu      sync.Mutex
	windows []RateWindow // the current one is the last
	full    time.Time    // when the bucket would be full again
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
	current := l.current(now)
	if l.burst > 0 {
		ok, remaining, reset = l.takeFromBucket(now)
	} else {
		ok, reset = current.Accepted < l.limit, current.Began.Add(l.window)
		remaining = max(l.limit-current.Accepted-1, 0)
	}
	if ok {
		current.Accepted++
	} else {
		current.Refused++
	}
	return ok, remaining, reset
}

// current returns the current window. The caller holds mu.
func (l *rateLimit) current(now time.Time) *RateWindow {
	last := len(l.windows) - 1
	if last < 0 || now.Sub(l.windows[last].Began) >= l.window {
		if len(l.windows) == keepWindows {
			l.windows = slices.Delete(l.windows, 0, 1)
		}
		l.windows = append(l.windows, RateWindow{Began: now})
		last = len(l.windows) - 1
	}
	return &l.windows[last]
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

func (l *rateLimit) history() []RateWindow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.windows)
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
