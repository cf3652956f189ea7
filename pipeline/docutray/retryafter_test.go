package docutray

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	unix := now.Unix()
	cases := []struct {
		header, date, body string
		want               time.Duration
	}{
		{"12", "", `{"retryAfter":99}`, 12 * time.Second},
		{" 12 ", "", ``, 12 * time.Second},
		{"1.5", "", ``, 1500 * time.Millisecond},
		{date(time.Minute), "", ``, time.Minute},
		{date(-time.Minute), "", `{"retryAfter":7}`, 7 * time.Second},
		{"soon", "", `{"retryAfter":7}`, 7 * time.Second},
		{"0", "", `{}`, 0},
		{"-5", "", `{}`, 0},
		{"NaN", "", `{}`, 0},
		{"Inf", "", `{}`, 0},
		{"1000000000000", "", `{"retryAfter":7}`, 7 * time.Second},
		{"1767225612", "", `{"retryAfter":7}`, 7 * time.Second}, // a Unix time
		{"999999", "", ``, maxWait},
		{date(1000 * time.Hour), "", ``, maxWait},
		{"", "", `{"retryAfter":"8"}`, 8 * time.Second},
		{"", "", `{"error":{"retryAfter":8}}`, 8 * time.Second},
		{"", "", `{"error":"Rate limit exceeded","limitType":"minute","limit":60,"remaining":0,"resetTime":` +
			fmt.Sprint(unix+30) + `,"retryAfter":12}`, 12 * time.Second},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, unix+30), 30 * time.Second},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, (unix+30)*1000), 30 * time.Second},
		{"", "", fmt.Sprintf(`{"resetTime":"%d"}`, unix+30), 30 * time.Second},
		{"", "", `{"resetTime":"2026-01-01T00:00:30Z"}`, 30 * time.Second},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, unix-30), 0},
		{"", "", `{"resetTime":1e40,"retryAfter":-3}`, 0},
		{"", "", `{"retryAfter":null,"resetTime":{}}`, 0},
		// Our clock is an hour behind the service's, or ahead.
		{"", date(time.Hour), fmt.Sprintf(`{"resetTime":%d}`, unix+3630), 30 * time.Second},
		{date(-3570 * time.Second), date(-time.Hour), ``, 30 * time.Second},
		{"", "junk", fmt.Sprintf(`{"resetTime":%d}`, unix+30), 30 * time.Second},
		{"", "", ``, 0},
	}
	for _, c := range cases {
		h := http.Header{}
		h.Set("Retry-After", c.header)
		h.Set("Date", c.date)
		body, _ := parseErrorBody([]byte(c.body))
		if got := retryAfter(h, body, now); got != c.want {
			t.Errorf("Retry-After %q, Date %q, %s: %v, want %v", c.header, c.date, c.body, got, c.want)
		}
	}
}

func TestRetryAfterInErrors(t *testing.T) {
	h := http.Header{"Retry-After": {"3"}}
	_, err := fake(t, 429, h, `{"error":"Rate limit exceeded"}`).Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Rate || e.RetryAfter != 3*time.Second || e.Message != "Rate limit exceeded" {
		t.Errorf("%+v", e)
	}
	_, err = fake(t, 503, h, ``).Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Service || e.RetryAfter != 3*time.Second {
		t.Errorf("%+v", e)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("12", "", `{"retryAfter":1,"resetTime":1767225600}`, int64(1767225600))
	f.Add("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT", `{"resetDate":"2026-01-01"}`, int64(0))
	f.Add("NaN", "x", `{"error":{"retryAfter":"1e308","resetTime":-1e308}}`, int64(-1))
	f.Fuzz(func(t *testing.T, header, date, body string, unix int64) {
		h := http.Header{"Retry-After": {header}, "Date": {date}}
		b, _ := parseErrorBody([]byte(body))
		if d := retryAfter(h, b, time.Unix(unix, 0)); d < 0 || d > maxWait {
			t.Errorf("a wait of %v", d)
		}
		if at := parseTime(b.ResetDate); !at.IsZero() && !plausible(at) {
			t.Errorf("a reset at %v", at)
		}
	})
}
