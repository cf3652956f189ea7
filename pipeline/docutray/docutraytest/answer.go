package docutraytest

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own values come here
	}
	writeBody(w, status, body)
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// succeed writes a 2xx answer, or half of it where the faults want it broken.
func (s *Server) succeed(w http.ResponseWriter, f Faults, d *rand.Rand, status int, v any) {
	if !chance(d, f.BrokenJSON) {
		writeJSON(w, status, v)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	writeBody(w, status, body[:len(body)/2])
}

// fail writes an error in one of the documented forms. Without AltForms it is
// the first of them.
func (s *Server) fail(w http.ResponseWriter, d *rand.Rand, status int, message string, details ...string) {
	w.Header().Set("X-Request-ID", "standin-"+strconv.FormatUint(d.Uint64(), 36))
	plain := map[string]any{"message": message}
	if len(details) > 0 {
		plain["errors"] = details
	}
	if !s.opts.AltForms || len(details) > 0 {
		writeJSON(w, status, plain)
		return
	}
	switch forms := 4 + btoi(status >= 500); d.IntN(forms) {
	case 0:
		writeJSON(w, status, plain)
	case 1:
		writeJSON(w, status, map[string]any{"error": message})
	case 2:
		writeJSON(w, status, map[string]any{"error": map[string]any{"code": "STANDIN", "message": message}})
	case 3:
		writeJSON(w, status, map[string]any{"detail": message})
	case 4: // a proxy's page, which stands only before what is broken
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><body><h1>" + http.StatusText(status) + "</h1>stand-in</body></html>"))
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// failAtRandom answers with trouble of the service.
func (s *Server) failAtRandom(w http.ResponseWriter, d *rand.Rand) {
	statuses := []int{http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusRequestTimeout}
	texts := []string{"Internal server error: Failed to start processing", "Bad gateway",
		"Service unavailable", "URL download timeout (30000ms)"}
	i := d.IntN(len(statuses))
	s.fail(w, d, statuses[i], texts[i])
}

// RateForm says where a 429 tells how long to wait. All but the first are
// for tests of clients.
type RateForm int

// The forms of a 429.
const (
	RateFull    RateForm = iota // header and body, as documented
	RateBody                    // body only
	RateDate                    // the header as an HTTP date, nothing in the body
	RateReset                   // resetTime in seconds only
	RateResetMS                 // resetTime in milliseconds only
	RateSilent                  // nothing that says how long
)

// admit counts a request against the rate limit, or answers 429.
func (s *Server) admit(w http.ResponseWriter, d *rand.Rand) bool {
	if s.opts.RateLimit <= 0 {
		return true
	}
	now := time.Now()
	s.mu.Lock()
	current := s.rateWindow(now)
	ok, reset := current.Accepted < s.opts.RateLimit, current.Began.Add(s.opts.RateWindow)
	if s.opts.RateBurst > 0 {
		every := s.opts.RateWindow / time.Duration(s.opts.RateLimit)
		ok, reset = s.bucket.take(now, every, s.opts.RateBurst)
	}
	if ok {
		current.Accepted++
	} else {
		current.Refused++
	}
	s.mu.Unlock()
	if !ok {
		s.limited(w, reset, now)
	}
	return ok
}

// bucket is a limit that fills evenly. It keeps when it would be full again.
type bucket struct{ full time.Time }

// take says whether a request is taken, and when the next one would be.
func (b *bucket) take(now time.Time, every time.Duration, burst int) (ok bool, again time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	again = b.full.Add(-time.Duration(burst-1) * every)
	if again.After(now) {
		return false, again
	}
	b.full = b.full.Add(every)
	return true, now
}

// RateWindow is what came in one window of the rate limit; with a bucket, in a
// time as long.
type RateWindow struct {
	Began    time.Time `json:"began"`
	Accepted int       `json:"accepted"`
	Refused  int       `json:"refused"`
}

// keepWindows is how many windows are remembered.
const keepWindows = 100

// rateWindow returns the current window. The caller holds mu.
func (s *Server) rateWindow(now time.Time) *RateWindow {
	last := len(s.windows) - 1
	if last < 0 || now.Sub(s.windows[last].Began) >= s.opts.RateWindow {
		if len(s.windows) == keepWindows {
			s.windows = append(s.windows[:0], s.windows[1:]...)
		}
		s.windows = append(s.windows, RateWindow{Began: now})
		last = len(s.windows) - 1
	}
	return &s.windows[last]
}

// limited writes a 429. Times are rounded up: who waits that long gets through.
func (s *Server) limited(w http.ResponseWriter, reset, now time.Time) {
	wait := int(math.Ceil(reset.Sub(now).Seconds()))
	at := reset.Add(time.Second - time.Nanosecond).Truncate(time.Second)
	body := map[string]any{"error": "Rate limit exceeded", "limitType": "minute",
		"limit": s.opts.RateLimit, "remaining": 0}
	switch s.opts.RateForm {
	case RateFull:
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		body["resetTime"], body["retryAfter"] = at.Unix(), wait
	case RateBody:
		body["resetTime"], body["retryAfter"] = at.Unix(), wait
	case RateDate:
		w.Header().Set("Retry-After", at.UTC().Format(http.TimeFormat))
	case RateReset:
		body["resetTime"] = at.Unix()
	case RateResetMS:
		body["resetTime"] = at.UnixMilli()
	case RateSilent:
	}
	writeJSON(w, http.StatusTooManyRequests, body)
}

// serveTypes answers one page of the list of types.
func (s *Server) serveTypes(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand) {
	number := func(name string, def int) (int, bool) {
		text := r.URL.Query().Get(name)
		if text == "" {
			return def, true
		}
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 1 && n <= 1_000_000
	}
	limit, ok1 := number("limit", 20)
	page, ok2 := number("page", 1)
	if !ok1 || !ok2 || limit > 100 {
		s.fail(w, d, http.StatusBadRequest, "Validation error", "limit must be 1 to 100, page at least 1")
		return
	}
	total := len(s.opts.Types)
	from := min((page-1)*limit, total)
	s.succeed(w, f, d, http.StatusOK, map[string]any{
		"data":       append([]DocumentType{}, s.opts.Types[from:min(from+limit, total)]...),
		"pagination": map[string]int{"total": total, "page": page, "limit": limit},
	})
}
