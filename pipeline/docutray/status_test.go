package docutray

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestStatusExample(t *testing.T) {
	// The example of the public reference.
	st, err := fake(t, 200, nil, `{"id":"cmcwh9n4y000350iw3y6hzizw","status":"SUCCESS",
 "document_type_code_options":["invoice","receipt"],
 "request_timestamp":"2025-07-09T21:35:19.138Z","response_timestamp":"2025-07-09T21:35:28.028Z",
 "original_filename":"scan.pdf",
 "document_type":{"code":"invoice","confidence":0.99,"name":"Invoice"},
 "alternatives":[{"code":"invoice","confidence":0.99,"name":"Invoice"},
                 {"code":"other","confidence":0.01,"name":"Other/Unidentified"},
                 {"code":"receipt","confidence":0,"name":"Receipt"}]}`).Status(t.Context(), "cmcwh9n4y000350iw3y6hzizw")
	must(t, err)
	want := Status{State: Succeeded, Type: Type{"invoice", 0.99}, Took: 8890 * time.Millisecond,
		Alternatives: []Type{{"invoice", 0.99}, {"other", 0.01}, {"receipt", 0}}}
	if diff := cmp.Diff(want, st); diff != "" {
		t.Error(diff)
	}
	if b, _ := json.Marshal(st.Alternatives[1]); string(b) != `{"code":"other","confidence":0.01}` {
		t.Errorf("an alternative is stored as %s", b)
	}
}

func TestStatusForms(t *testing.T) {
	success := func(code string, confidence float64) Status {
		return Status{State: Succeeded, Type: Type{code, confidence}}
	}
	for body, want := range map[string]Status{
		`{"id":"j","status":"ENQUEUED"}`:                                                            {},
		`{"identification_id":"j","status":"processing"}`:                                           {},
		`{"status":"PROCESSING","request_timestamp":"never"}`:                                       {},
		`{"id":"j","status":"PAUSED"}`:                                                              {},
		`{"id":"j","status":"ERROR","error":"too\tdark"}`:                                           {State: Failed, Error: "too dark"},
		`{"id":"j","status":"ERROR","error":{"code":"E"}}`:                                          {State: Failed, Error: "E"},
		`{"id":"j","status":"ERROR","message":"m"}`:                                                 {State: Failed, Error: "m"},
		`{"id":"j","status":"ERROR"}`:                                                               {State: Failed},
		`{"id":"j","status":"ERROR","error":["too dark",{"message":"too small"}]}`:                  {State: Failed, Error: "too dark; too small"},
		`{"id":"j","status":"ERROR","error":{"details":["too dark"]}}`:                              {State: Failed, Error: "too dark"},
		`{"id":"j","status":"ERROR","error":{"why":"too dark"}}`:                                    {State: Failed, Error: `{"why":"too dark"}`},
		`{"id":"j","status":"ERROR","error":null,"errors":["too dark"]}`:                            {State: Failed, Error: "too dark"},
		`{"id":"k","identification_id":"j","status":"ENQUEUED"}`:                                    {},
		`{"id":"j","identification_id":"k","status":"ENQUEUED"}`:                                    {},
		`{"status":"success","data":{"id":"j","status":"PROCESSING"}}`:                              {},
		`{"id":"j","status":"SUCCESS","document_type":{"code":" \u200b"}}`:                          {State: NoType},
		`{"id":"j","status":"SUCCESS","document_type":{"code":null},"alternatives":[{"code":"a"}]}`: {State: NoType, Alternatives: []Type{{"a", 0}}},
		`{"id":"j","status":"SUCCESS"}`:                                                             {State: NoType},
		`{"id":"j","status":"SUCCESS","document_type":null}`:                                        {State: NoType},
		`{"id":"j","status":"SUCCESS","document_type":{"code":""}}`:                                 {State: NoType},
		`{"id":"j","status":"SUCCESS","document_type":{"code":"a"}}`:                                success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":70}}`:                         success("a", 0.7),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":99}}`:                         success("a", 0.99),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"99%"}}`:                      success("a", 0.99),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":12}}`:                         success("a", 0.12),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"101%"}}`:                     success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"70 %"}}`:                     success("a", 0.7),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"0.5%"}}`:                     success("a", 0.005),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"0.5"}}`:                      success("a", 0.5),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":100.5}}`:                      success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":true}}`:                       success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":-1}}`:                         success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":1e999}}`:                      success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"NaN"}}`:                      success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a"},"alternatives":[1,{}]}`:                   success("a", 0),
		`{"status":"SUCCESS","document_type":{"code":"a"},"alternatives":{"b":1}}`:                  success("a", 0),
		"{\"status\":\"SUCCESS\",\"document_type\":{\"code\":\"a\xff\"}}":                           success("a\ufffd", 0),
		`{"status":"SUCCESS","document_type":{"code":"\u0061\/"}}`:                                  success("a/", 0),
	} {
		st, err := fake(t, 200, nil, body).Status(t.Context(), "j")
		if diff := cmp.Diff(want, st); err != nil || diff != "" {
			t.Errorf("%s: %v %s", body, err, diff)
		}
	}
}

func TestUnusableStatus(t *testing.T) {
	for _, body := range []string{"", "null", "[]", `"SUCCESS"`, "{", `{"id":"j"}`, `{"id":"j","status":""}`,
		`{"id":"other","status":"SUCCESS","document_type":{"code":"a"}}`,
		`{"identification_id":"other","status":"ENQUEUED"}`,
		`{"id":"other","identification_id":"another","status":"ENQUEUED"}`,
		`{"data":{"id":"other","status":"ENQUEUED"}}`,
		`{"id":"j","status":"SUCCESS","document_type":"invoice"}`,
		`{"id":"j","status":"SUCCESS","document_type":{"code":"` + testKey + `"}}`,
		`{"id":"j","status":"ENQUEUED"} trailing`,
		"<html>maintenance</html>",
		`{"id":"j","status":"ENQUEUED","x":"` + strings.Repeat("x", maxAnswer) + `"}`,
	} {
		_, err := fake(t, 200, nil, body).Status(t.Context(), "j")
		if e := asError(t, err); e.Class != Service || e.Message == "" || e.OutcomeUnknown {
			t.Errorf("%.60s: %+v", body, e)
		}
	}
}

// TestAnswerDeclaredAsPage: JSON is read whatever the header calls it.
func TestAnswerDeclaredAsPage(t *testing.T) {
	page := http.Header{"Content-Type": {"text/html"}}
	must(t, second(fake(t, 200, page, `{"id":"j","status":"ENQUEUED"}`).Status(t.Context(), "j")))
	if e := asError(t, fake(t, 401, page, `{"error":"Invalid API key"}`).Ping(t.Context())); e.Class != Account {
		t.Errorf("%+v", e)
	}
}

// TestEndlessAnswer: an answer that does not end is left after 1 MiB.
func TestEndlessAnswer(t *testing.T) {
	read := 0
	body := readFunc(func(p []byte) (int, error) { read += len(p); return copy(p, bytes.Repeat([]byte(" "), len(p))), nil })
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body)}, nil
		})
	})
	_, err := c.Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Service || read > 2*maxAnswer {
		t.Errorf("%v after %d bytes", e, read)
	}
}

func TestJobIDs(t *testing.T) {
	var path string
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		_, _ = io.WriteString(w, `{"status":"ENQUEUED"}`)
	}))
	c := newClient(t, srv.URL)
	for id, want := range map[string]string{
		"cm5vm9": "cm5vm9", "../../x?y#z": "..%2F..%2Fx%3Fy%23z", "a%2Fb": "a%252Fb", "a:b@c;d,e": "a:b@c%3Bd%2Ce", "...": "...",
	} {
		if _, err := c.Status(t.Context(), id); err != nil || path != pathStatus+want {
			t.Errorf("%q: asked for %q, %v", id, path, err)
		}
	}
	path = ""
	for _, id := range []string{"", ".", "..", "a b", "a\n", "\x00", "é", strings.Repeat("x", 257)} {
		_, err := c.Status(t.Context(), id)
		if e := asError(t, err); e.Class != Local || path != "" {
			t.Errorf("%q: %v", id, e)
		}
		body := `{"id":"` + strings.NewReplacer("\n", `\n`, "\x00", `\u0000`).Replace(id) + `"}`
		_, err = fake(t, 202, nil, body).Submit(t.Context(), submission())
		if e := asError(t, err); e.Class != NoID || !e.OutcomeUnknown {
			t.Errorf("%q accepted as a job id: %v", id, err)
		}
	}
}

func TestUnknownStateIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Transport = answering(200, nil, `{"status":"PAUSED"}`)
	})
	for range 3 {
		_, _ = c.Status(t.Context(), "j")
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "state=PAUSED") {
		t.Errorf("%d lines:\n%s", n, &log)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"id":"j","status":"SUCCESS","document_type":{"code":"a","confidence":0.5},"alternatives":[{}]}`)
	f.Add(429, `{"error":{"message":{"a":[1]},"retryAfter":[]},"errors":[[],{},null,1]}`)
	f.Add(402, `{"resetDate":{"a":1},"detail":[{"message":"\u0000\u202e"}]}`)
	f.Add(202, `{"identification_id":5}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := fake(t, status, nil, body)
		st, err := c.Status(t.Context(), "j")
		if err == nil && ((st.State == Succeeded) != (st.Type.Code != "") ||
			!(st.Type.Confidence >= 0 && st.Type.Confidence <= 1)) {
			t.Errorf("%+v", st)
		}
		id, err2 := c.Submit(t.Context(), submission())
		if (err2 == nil) != (checkJobID(id) == nil) {
			t.Errorf("%q %v", id, err2)
		}
		_, err3 := c.DocumentTypes(t.Context())
		for _, err := range []error{err, err2, err3} {
			if err == nil {
				continue
			}
			if s := err.Error(); !utf8.ValidString(s) || strings.ContainsAny(s, "\n\x1b\u202e") || len(s) > 4000 {
				t.Errorf("error %q", s)
			}
		}
	})
}
