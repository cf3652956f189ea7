package docutray

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
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
	e := asError(t, err)
	message, details, _ := strings.Cut(e.Message, " (")
	if len(message) > maxMessage || strings.Count(details, "; ") != maxDetails-1 || len(e.Error()) > 4000 {
		t.Errorf("an error of %d bytes, %d details", len(e.Error()), strings.Count(details, "; ")+1)
	}
}
