package docutray

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClassifyEveryStatus states the table again, for each operation and status, of the
// service and of a web page.
func TestClassifyEveryStatus(t *testing.T) {
	notTheDocument := []int{404, 405, 406, 407, 408, 410, 411, 413, 417, 421, 425, 426, 428, 431, 499}
	expected := func(op string, status int, page bool) Class {
		switch {
		case status/100 == 2:
			return 0
		case status == 429:
			return Rate
		case page:
			return Service // a gateway's word about a document, a job or the account is none
		case status == 401, status == 402, status == 403:
			return Account
		case op == OpStatus && (status == 404 || status == 410):
			return Missing
		case op == OpSubmit && status/100 == 4 && !slices.Contains(notTheDocument, status):
			return Document
		}
		return Service
	}
	for _, op := range []string{OpSubmit, OpStatus, OpTypes, OpPing} {
		for status := 100; status <= 599; status++ {
			for _, page := range []bool{false, true} {
				want := expected(op, status, page)
				unknown := op == OpSubmit && (status == 502 || status == 504 || status == 520 || status == 524)
				if class, un := classify(op, status, page); class != want || un != unknown {
					t.Errorf("%s %d, page %v: %v unknown=%v, want %v unknown=%v", op, status, page, class, un, want, unknown)
				}
			}
		}
	}
}

func TestDocumentedErrors(t *testing.T) {
	page := http.Header{"Content-Type": {"text/html"}}
	cases := []struct {
		status int
		header http.Header
		body   string
		class  Class
		text   string
	}{
		{400, nil, `{"message":"Validation error","errors":["image: required","x"]}`, Document,
			"submit: 400 Bad Request: Validation error (image: required; x)"},
		{400, nil, `{"message":"Validation error","errors":[{"path":"image","message":"bad"}]}`, Document,
			"submit: 400 Bad Request: Validation error (bad)"},
		{401, nil, `{"error":"Invalid API key"}`, Account, "submit: 401 Unauthorized: Invalid API key; make a key in DocuTray and put it in the place of this one (of the service: /etc/docusort/api-key, of an instance: NAME.api-key beside it): a file is read again by itself, DOCUTRAY_API_KEY after a restart"},
		{403, nil, `{"message":"Document types not accessible: invoice, receipt"}`, Account,
			"submit: 403 Forbidden: Document types not accessible: invoice, receipt; correct DOCUSORT_DOCUMENT_TYPES, or make these types accessible in DocuTray"},
		{413, nil, `{"error":{"code":"X","message":"File exceeds maximum allowed size (100MB)"}}`, Service,
			"submit: 413 Request Entity Too Large: File exceeds maximum allowed size (100MB)"},
		{415, nil, `{"detail":"Unsupported Content-Type. …"}`, Document,
			"submit: 415 Unsupported Media Type: Unsupported Content-Type. …"},
		{422, nil, `{"detail":[{"loc":["body"],"msg":"field required"}]}`, Document,
			"submit: 422 Unprocessable Entity: field required"},
		{409, nil, `{"message":"m"}`, Document, "submit: 409 Conflict: m"},
		{418, nil, `{"message":"m"}`, Document, "submit: 418 I'm a teapot: m"},
		{413, nil, "too large", Service, "submit: 413 Request Entity Too Large: too large"},
		{500, nil, `{"error":{"code":"E1"}}`, Service, "submit: 500 Internal Server Error: E1"},
		{502, page, "<html><h1>Bad gateway</h1></html>", Service, "submit: 502 Bad Gateway: a page that is not DocuTray's"},
		{503, nil, "upstream\n gone\x1b[31m", Service, "submit: 503 Service Unavailable: upstream gone[31m"},
		{500, nil, `{"message":7,"errors":null,"error":null}`, Service, "submit: 500 Internal Server Error: 7"},
		{500, nil, "", Service, "submit: 500 Internal Server Error"},
		{500, http.Header{"X-Request-Id": {"r\n1"}}, "{}", Service, "submit: 500 Internal Server Error [request r 1]"},
		{404, nil, `{"message":"no such route"}`, Service, "submit: 404 Not Found: no such route; " + adviceAddress},
	}
	for _, c := range cases {
		_, err := fake(t, c.status, c.header, c.body).Submit(t.Context(), submission())
		e := asError(t, err)
		if e.Class != c.class || e.StatusCode != c.status || err.Error() != c.text {
			t.Errorf("%d %s: %v %q, want %v %q", c.status, c.body, e.Class, err, c.class, c.text)
		}
		if !e.Sent || e.OutcomeUnknown != (c.status == 502) {
			t.Errorf("%d: sent %v, unknown %v", c.status, e.Sent, e.OutcomeUnknown)
		}
	}
}

// TestReasons: the reason of a refusal is shown wherever it stands.
func TestReasons(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"Validation error","details":["limit","page"]}`:       ": Validation error (limit; page)",
		`{"error":"Bad","details":"too dark"}`:                          ": Bad (too dark)",
		`{"details":{"image":["too dark"]}}`:                            `: ({"image":["too dark"]})`,
		`{"error":{"message":"Bad","details":[{"reason":"too dark"}]}}`: ": Bad (too dark)",
		`{"error":{"errors":["too dark"]}}`:                             ": (too dark)",
		`{"error":["too dark","too small"]}`:                            ": too dark; too small",
		`{"message":["too dark"],"error":"Bad Request"}`:                ": too dark",
		`[{"message":"too dark"}]`:                                      ": too dark",
		`"too dark"`:                                                    ": too dark",
		`{"message":null,"errors":null,"error":{"message":"too dark"}}`: ": too dark",
		`{"title":"Bad","detail":""}`:                                   ": Bad",
		` {"why":"too dark"}`:                                           `: {"why":"too dark"}`,
	} {
		e := asError(t, second(fake(t, 400, nil, body).Submit(t.Context(), submission())))
		if got := strings.TrimPrefix(e.Reason(), "400 Bad Request"); e.Class != Document || got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestPages: a web page is nobody's word about a document or the account.
func TestPages(t *testing.T) {
	page := http.Header{"Content-Type": {"text/html"}}
	for _, c := range []struct {
		status int
		header http.Header
		body   string
		class  Class
	}{
		{413, page, "", Service},
		{415, nil, "<html>", Service},
		{451, nil, "\n<!DOCTYPE html>", Service},
		{403, page, "<p>blocked", Service},
		{401, page, "<p>sign in", Service},
		{402, page, "<p>pay", Service},
		{429, page, "<p>slow down", Rate},
	} {
		e := asError(t, second(fake(t, c.status, c.header, c.body).Submit(t.Context(), submission())))
		const says = ": a page that is not DocuTray's; is there a proxy or a filter on the way?"
		if e.Class != c.class || !strings.HasSuffix(e.Reason(), says) || e.OutcomeUnknown {
			t.Errorf("%d %s: %v %v", c.status, c.body, e.Class, e)
		}
	}
}

// TestTooLargeForWhom: 413 is about a document only where it may be over the service's limit.
func TestTooLargeForWhom(t *testing.T) {
	const says = `{"message":"File exceeds maximum allowed size (100MB)"}`
	for _, c := range []struct {
		size  int64
		body  string
		class Class
	}{
		{maybeTooLarge, says, Document},
		{maybeTooLarge, "<html>", Service},
		{maybeTooLarge - 1, says, Service},
		{maybeTooLarge - 1, "", Service},
	} {
		s := submission()
		s.Content, s.Size = io.LimitReader(zeros{}, c.size), c.size
		e := asError(t, second(fake(t, 413, nil, c.body).Submit(t.Context(), s)))
		if e.Class != c.class || e.OutcomeUnknown {
			t.Errorf("%d bytes, %q: %v", c.size, c.body, e)
		}
	}
}

func TestMissingJob(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   Class
	}{
		{404, `{"message":"Identification not found"}`, Missing},
		{404, "Not found", Missing},
		{404, "", Missing},
		{410, "", Missing},
		{404, " <!DOCTYPE html>", Service},
		{403, `{"message":"You do not have access to this identification"}`, Account},
	} {
		if e := asError(t, second(fake(t, c.status, nil, c.body).Status(t.Context(), "j"))); e.Class != c.want {
			t.Errorf("%d %s: %+v", c.status, c.body, e)
		}
	}
}

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

func TestMessagesAreBounded(t *testing.T) {
	long := make([]byte, 1<<19)
	for i := range long {
		long[i] = 'a'
	}
	details := `"` + string(long[:10000]) + `"`
	body := `{"message":"` + string(long) + `","errors":[` + details
	for range 30 {
		body += "," + details
	}
	_, err := fake(t, 400, http.Header{"X-Request-Id": {string(long)}}, body+`]}`).Submit(t.Context(), submission())
	if e := asError(t, err); len(e.Message) > maxMessage || len(e.Details) != maxDetails || len(e.Error()) > 4000 {
		t.Errorf("an error of %d bytes, %d details", len(e.Error()), len(e.Details))
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
