package docutray

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait is the longest wait that a service can ask for. Its longest limit is
// a day's; the hour allows for clocks that differ.
const maxWait = 25 * time.Hour

// retryAfter returns how long a 429 asks to wait: the Retry-After header, else
// retryAfter in the body, else its resetTime, else the X-RateLimit-Reset header.
// It returns 0 if none is usable.
func retryAfter(h http.Header, body errorBody, now time.Time) time.Duration {
	now = serviceClock(h, now)
	resets := []text{body.ResetTime, text(h.Get("X-RateLimit-Reset"))}
	for _, s := range []text{text(h.Get("Retry-After")), body.RetryAfter, resets[0], resets[1]} {
		if d := parseWait(string(s), now); d > 0 {
			return d
		}
	}
	for _, s := range resets {
		if t := parseTime(s); t.After(now) {
			return clampWait(t.Sub(now))
		}
	}
	return 0
}

// perMinute returns the limit of a minute that a 429 names; 0: it names none that
// can be believed.
func perMinute(h http.Header, body errorBody) float64 {
	kind, limit := cmp.Or(string(body.LimitType), h.Get("X-RateLimit-Limit-Type")), cmp.Or(string(body.Limit), h.Get("X-RateLimit-Limit"))
	n, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
	if err != nil || kind != "minute" || !(n >= 1 && n <= 1e6) {
		return 0
	}
	return n
}

// serviceClock returns the time by which to read the service's dates: its own,
// if the Date header shows that the clocks differ.
func serviceClock(h http.Header, now time.Time) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil || !plausible(t) || t.Sub(now).Abs() <= 5*time.Second {
		return now
	}
	return t
}

// parseWait reads seconds, which may have a fraction, or an HTTP date.
func parseWait(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if sec, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(sec) || sec <= 0 || sec > 1e9 {
			return 0 // 30 years are no wait, but a Unix time or nonsense
		}
		return clampWait(time.Duration(sec * float64(time.Second)))
	}
	if t, err := http.ParseTime(s); err == nil && plausible(t) {
		return clampWait(t.Sub(now))
	}
	return 0
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), maxWait) }

// parseTime reads a date, or a Unix time in seconds or milliseconds. It returns
// zero for anything else. A date without a zone is UTC.
func parseTime(s text) time.Time {
	value := strings.TrimSpace(string(s))
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		if n >= 1e11 { // the year 5138 in seconds, 1973 in milliseconds
			n /= 1000
		}
		if math.IsNaN(n) || n < 0 || n > 1e11 {
			return time.Time{}
		}
		return plausibleTime(time.UnixMilli(int64(n * 1000)))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly, http.TimeFormat} {
		if t, err := time.Parse(layout, value); err == nil {
			return plausibleTime(t)
		}
	}
	return time.Time{}
}

// plausibleTime returns t in UTC, or zero if it is not of this era.
func plausibleTime(t time.Time) time.Time {
	if !plausible(t) {
		return time.Time{}
	}
	return t.UTC()
}

func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }
