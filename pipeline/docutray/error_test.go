package docutray

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestClassifyEveryStatus states the table again, for each operation and status.
func TestClassifyEveryStatus(t *testing.T) {
	notTheDocument := []int{404, 405, 406, 407, 408, 410, 411, 417, 421, 425, 426, 428, 431, 499}
	for _, op := range []string{OpSubmit, OpStatus, OpTypes, OpPing} {
		for status := 100; status <= 599; status++ {
			want := Service
			switch {
			case status/100 == 2:
				want = 0
			case status == 401, status == 402, status == 403:
				want = Account
			case status == 429:
				want = Rate
			case op == OpStatus && (status == 404 || status == 410):
				want = Missing
			case op == OpSubmit && status/100 == 4 && !slices.Contains(notTheDocument, status):
				want = Document
			}
			unknown := op == OpSubmit && (status == 502 || status == 504 || status == 520 || status == 524)
			if class, un := classify(op, status, false); class != want || un != unknown {
				t.Errorf("%s %d: %v unknown=%v, want %v unknown=%v", op, status, class, un, want, unknown)
			}
			if class, _ := classify(op, status, true); class == Missing {
				t.Errorf("%s %d: a web page says that a job is gone", op, status)
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
		{401, nil, `{"error":"Invalid API key"}`, Account, "submit: 401 Unauthorized: Invalid API key"},
		{403, nil, `{"message":"Document types not accessible: invoice, receipt"}`, Account,
			"submit: 403 Forbidden: Document types not accessible: invoice, receipt"},
		{413, nil, `{"error":{"code":"X","message":"File exceeds maximum allowed size (100MB)"}}`, Document,
			"submit: 413 Request Entity Too Large: File exceeds maximum allowed size (100MB)"},
		{415, nil, `{"detail":"Unsupported Content-Type. …"}`, Document,
			"submit: 415 Unsupported Media Type: Unsupported Content-Type. …"},
		{422, nil, `{"detail":[{"loc":["body"],"message":"field required"}]}`, Document,
			"submit: 422 Unprocessable Entity: field required"},
		{500, nil, `{"error":{"code":"E1"}}`, Service, "submit: 500 Internal Server Error: E1"},
		{502, page, "<html><h1>Bad gateway</h1></html>", Service, "submit: 502 Bad Gateway"},
		{503, nil, "upstream\n gone\x1b[31m", Service, "submit: 503 Service Unavailable: upstream gone[31m"},
		{500, nil, `{"message":7,"errors":null,"error":null}`, Service, "submit: 500 Internal Server Error: 7"},
		{500, nil, `[1]`, Service, "submit: 500 Internal Server Error: [1]"},
		{500, nil, "", Service, "submit: 500 Internal Server Error"},
		{500, http.Header{"X-Request-Id": {"r\n1"}}, "{}", Service, "submit: 500 Internal Server Error [request r 1]"},
		{404, nil, `{"message":"no such route"}`, Service, "submit: 404 Not Found: no such route"},
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

func TestMissingJob(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   Class
	}{
		{404, `{"message":"Identification not found"}`, Missing},
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
	e := asError(t, second(fake(t, 429, nil, `{"error":"used up","quota":5}`).Status(t.Context(), "j")))
	if e.Class != Account || !e.ResetAt.IsZero() {
		t.Errorf("a quota without a date: %+v", e)
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
