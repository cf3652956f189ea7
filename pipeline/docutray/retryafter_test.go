package docutray

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestQuotaReset(t *testing.T) {
	want := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	for _, form := range []string{`"2026-08-01T00:00:00.000Z"`, `"2026-08-01"`, `1785542400`, `1785542400000`,
		`"1785542400"`, `"2026-08-01T02:00:00+02:00"`, `"2026-08-01 00:00:00"`, `"Sat, 01 Aug 2026 00:00:00 GMT"`} {
		for _, body := range []string{`{"message":"quota","quota":5,"used":5,"resetDate":` + form + `}`,
			`{"error":{"message":"quota","resetDate":` + form + `}}`} {
			for _, status := range []int{402, 429} {
				e := asError(t, second(fake(t, status, nil, body).Submit(t.Context(), submission())))
				if e.Class != Account || !e.ResetAt.Equal(want) || e.Message != "quota" {
					t.Errorf("%d %s: %+v", status, body, e)
				}
			}
		}
	}
	for _, form := range []string{`null`, `"soon"`, `-1`, `1e300`, `{}`, `"0001-01-01"`, `"9999-12-31"`, `7`, `"NaN"`} {
		e := asError(t, second(fake(t, 402, nil, `{"resetDate":`+form+`}`).Submit(t.Context(), submission())))
		if !e.ResetAt.IsZero() {
			t.Errorf("%s: %v", form, e.ResetAt)
		}
	}
	quota := `{"error":"used up","quota":5}`
	e := asError(t, second(fake(t, 429, nil, quota).Status(t.Context(), "j")))
	if e.Class != Account || !e.ResetAt.IsZero() {
		t.Errorf("a quota without a date: %+v", e)
	}
	e = asError(t, second(fake(t, 429, http.Header{"Retry-After": {"3600"}}, quota).Status(t.Context(), "j")))
	if d := time.Until(e.ResetAt); e.Class != Account || d < 59*time.Minute || d > time.Hour {
		t.Errorf("a quota with a wait: %+v", e)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	unix := now.Unix()
	cases := []struct {
		header, date, body string
		want               time.Duration
		reset              string // X-RateLimit-Reset
	}{
		{"12", "", `{"retryAfter":99}`, 12 * time.Second, ""},
		{"1.5", "", ``, 1500 * time.Millisecond, ""},
		{date(time.Minute), "", ``, time.Minute, ""},
		{date(-time.Minute), "", `{"retryAfter":7}`, 7 * time.Second, ""},
		{"soon", "", `{"retryAfter":7}`, 7 * time.Second, ""},
		{"0", "", `{}`, 0, ""},
		{"-5", "", `{}`, 0, ""},
		{"NaN", "", `{}`, 0, ""},
		{"1000000000000", "", `{"retryAfter":7}`, 7 * time.Second, ""},
		{"1767225612", "", `{"retryAfter":7}`, 7 * time.Second, ""}, // a Unix time
		{"999999", "", ``, maxWait, ""},
		{"", "", `{"retryAfter":"8"}`, 8 * time.Second, ""},
		{"", "", `{"error":{"retryAfter":8}}`, 8 * time.Second, ""},
		{"", "", `{"error":"Rate limit exceeded","limitType":"minute","limit":60,"remaining":0,"resetTime":` +
			fmt.Sprint(unix+30) + `,"retryAfter":12}`, 12 * time.Second, ""},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, unix+30), 30 * time.Second, ""},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, (unix+30)*1000), 30 * time.Second, ""},
		{"", "", fmt.Sprintf(`{"resetTime":"%d"}`, unix+30), 30 * time.Second, ""},
		{"", "", `{"resetTime":"2026-01-01T00:00:30Z"}`, 30 * time.Second, ""},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, unix-30), 0, ""},
		{"", "", `{"resetTime":1e40,"retryAfter":-3}`, 0, ""},
		{"", "", `{"retryAfter":null,"resetTime":{}}`, 0, ""},
		// Our clock is an hour behind the service's, or ahead.
		{"", date(time.Hour), fmt.Sprintf(`{"resetTime":%d}`, unix+3630), 30 * time.Second, ""},
		{date(-3570 * time.Second), date(-time.Hour), ``, 30 * time.Second, ""},
		{"", "junk", fmt.Sprintf(`{"resetTime":%d}`, unix+30), 30 * time.Second, ""},
		{"", "", ``, 0, ""},
		{"", "", "", 30 * time.Second, fmt.Sprint(unix + 30)},
		{"", "", `{"error":"x"}`, 30 * time.Second, fmt.Sprint((unix + 30) * 1000)},
		{"", "", "", 30 * time.Second, "30"},
		{"", "", "", 0, fmt.Sprint(unix - 30)},
		{"", date(time.Hour), "", 30 * time.Second, fmt.Sprint(unix + 3630)},
		{"12", "", "", 12 * time.Second, fmt.Sprint(unix + 30)},
		{"", "", `{"retryAfter":7}`, 7 * time.Second, fmt.Sprint(unix + 30)},
		{"", "", fmt.Sprintf(`{"resetTime":%d}`, unix+20), 20 * time.Second, fmt.Sprint(unix + 30)},
	}
	for _, c := range cases {
		h := http.Header{}
		h.Set("Retry-After", c.header)
		h.Set("Date", c.date)
		h.Set("X-RateLimit-Reset", c.reset)
		body := parseErrorBody([]byte(c.body))
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
	h = http.Header{"X-Ratelimit-Reset": {fmt.Sprint(time.Now().Unix() + 60)}, "X-Ratelimit-Limit": {"60"}, "X-Ratelimit-Limit-Type": {"minute"}}
	_, err = fake(t, 429, h, ``).Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Rate || e.RetryAfter <= 50*time.Second || e.Message != "the limit is 60 a minute" {
		t.Errorf("%+v", e)
	}
	h = http.Header{"Retry-After": {"3"}}
	_, err = fake(t, 503, h, ``).Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Service || e.RetryAfter != 3*time.Second {
		t.Errorf("%+v", e)
	}
}

func TestPerMinute(t *testing.T) {
	headers := http.Header{"X-Ratelimit-Limit": {"90"}, "X-Ratelimit-Limit-Type": {"minute"}}
	for _, c := range []struct {
		header http.Header
		body   string
		want   float64
	}{
		{nil, `{"limitType":"minute","limit":60,"remaining":0}`, 60},
		{nil, `{"error":{"limitType":"minute","limit":"60"}}`, 60},
		{headers, ``, 90},
		{headers, `{"limitType":"minute","limit":60}`, 60},
		{headers, `{"limitType":"day","limit":60}`, 0},
		{nil, `{"limit":60}`, 0},
		{nil, `{"limitType":"minute","limit":-60}`, 0},
		{nil, `{"limitType":"minute","limit":"NaN"}`, 0},
		{nil, `{"limitType":"minute","limit":1e9}`, 0},
		{nil, `{"error":"Rate limit exceeded"}`, 0},
	} {
		_, err := fake(t, 429, c.header, c.body).Status(t.Context(), "j")
		if got := asError(t, err).PerMinute; got != c.want {
			t.Errorf("%v, %s: %v, want %v", c.header, c.body, got, c.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("12", "", `{"retryAfter":1,"resetTime":1767225600}`, int64(1767225600))
	f.Add("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT", `{"resetDate":"2026-01-01"}`, int64(0))
	f.Add("NaN", "x", `{"error":{"retryAfter":"1e308","resetTime":-1e308}}`, int64(-1))
	f.Fuzz(func(t *testing.T, header, date, body string, unix int64) {
		h := http.Header{"Retry-After": {header}, "Date": {date}}
		b := parseErrorBody([]byte(body))
		if d := retryAfter(h, b, time.Unix(unix, 0)); d < 0 || d > maxWait {
			t.Errorf("a wait of %v", d)
		}
		if at := parseTime(b.ResetDate); !at.IsZero() && !plausible(at) {
			t.Errorf("a reset at %v", at)
		}
	})
}
