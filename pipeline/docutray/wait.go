package docutray

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait caps what a service can make us wait. Its longest limit is a day's;
// the hour more is for clocks that differ.
const maxWait = 25 * time.Hour

// retryAfter returns how long a 429 asks to wait: the Retry-After header, else
// retryAfter of the body, else its resetTime; 0 if nothing usable is there.
func retryAfter(h http.Header, body refusal, now time.Time) time.Duration {
	now = clock(h, now)
	if d := retryAfterHeader(h.Get("Retry-After"), now); d > 0 {
		return d
	}
	for _, b := range []refusal{body, body.inner()} {
		if d := retryAfterHeader(unquote(b.RetryAfter), now); d > 0 {
			return d
		}
		if t := moment(b.ResetTime); !t.IsZero() {
			if d := clampWait(t.Sub(now)); d > 0 {
				return d
			}
		}
	}
	return 0
}

// clock returns the time by which the service's dates are to be read: its own
// if its Date header says that our clocks differ.
func clock(h http.Header, now time.Time) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil || !plausible(t) || t.Sub(now).Abs() <= 5*time.Second {
		return now
	}
	return t
}

// retryAfterHeader reads seconds, which may have a fraction, or an HTTP date.
func retryAfterHeader(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if sec, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(sec) || sec <= 0 || sec > 1e9 {
			// What is over 30 years is no wait but a Unix time or nonsense.
			return 0
		}
		return clampWait(time.Duration(sec * float64(time.Second)))
	}
	if t, err := http.ParseTime(s); err == nil && plausible(t) {
		return clampWait(t.Sub(now))
	}
	return 0
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), maxWait) }

// resetAt returns when the quota is renewed, or zero.
func (r refusal) resetAt() time.Time {
	if t := moment(r.ResetDate); !t.IsZero() {
		return t
	}
	return moment(r.inner().ResetDate)
}

// unquote returns a JSON string's text, or the JSON itself.
func unquote(raw json.RawMessage) string {
	if s, ok := plainText(raw); ok {
		return s
	}
	if len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9') {
		return string(raw)
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// momentLayouts are the forms in which a date is looked for, in order; those
// without a zone are read as UTC.
var momentLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00",
	"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC,
}

// date is a point in time as moment reads it.
type date struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (d *date) UnmarshalJSON(b []byte) error {
	d.Time = moment(b)
	return nil
}

// moment reads a point in time from a JSON value: a date in any usual form, or
// a Unix time in seconds or milliseconds, as a number or a string. What is
// none, or is not in this era, is zero.
func moment(raw json.RawMessage) time.Time {
	s := strings.TrimSpace(unquote(raw))
	if t, err := time.Parse(momentLayouts[0], s); err == nil { // nearly always
		return inEra(t)
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		if n >= 1e11 { // the year 5138 in seconds, 1973 in milliseconds
			n /= 1000
		}
		if math.IsNaN(n) || n < 0 || n > 1e11 {
			return time.Time{}
		}
		sec, frac := math.Modf(n)
		return inEra(time.Unix(int64(sec), int64(frac*1e9)))
	}
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inEra(t)
		}
	}
	return time.Time{}
}

// inEra returns t in UTC, or zero if it cannot be meant.
func inEra(t time.Time) time.Time {
	if !plausible(t) {
		return time.Time{}
	}
	return t.UTC()
}

func plausible(t time.Time) bool { return t.Year() >= 2000 && t.Year() < 2200 }
