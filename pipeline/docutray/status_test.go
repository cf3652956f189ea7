package docutray

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
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
	if err != nil {
		t.Fatal(err)
	}
	if st.State != Succeeded || st.Type != (Type{"invoice", "Invoice", 0.99}) || len(st.Alternatives) != 3 ||
		st.Alternatives[1] != (Type{"other", "Other/Unidentified", 0.01}) ||
		st.Responded.Sub(st.Requested) != 8890*time.Millisecond {
		t.Errorf("%+v", st)
	}
}

func TestStatusForms(t *testing.T) {
	for body, want := range map[string]Status{
		`{"id":"j","status":"ENQUEUED"}`:                                           {ID: "j"},
		`{"identification_id":"j","status":"processing"}`:                          {ID: "j"},
		`{"status":"PROCESSING","request_timestamp":"never"}`:                      {ID: "j"},
		`{"id":"j","status":"PAUSED"}`:                                             {ID: "j"},
		`{"id":"j","status":"ERROR","error":"too\tdark"}`:                          {ID: "j", State: Failed, Error: "too dark"},
		`{"id":"j","status":"ERROR","error":{"code":"E"}}`:                         {ID: "j", State: Failed, Error: "E"},
		`{"id":"j","status":"ERROR"}`:                                              {ID: "j", State: Failed},
		`{"id":"j","status":"SUCCESS","document_type":{"code":"a"}}`:               {ID: "j", State: Succeeded, Type: Type{Code: "a"}},
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":7}}`:         {ID: "j", State: Succeeded, Type: Type{"a", "", 1}},
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":-1}}`:        {ID: "j", State: Succeeded, Type: Type{"a", "", 0}},
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":1e999}}`:     {ID: "j", State: Succeeded, Type: Type{"a", "", 1}},
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"NaN"}}`:     {ID: "j", State: Succeeded, Type: Type{"a", "", 0}},
		`{"status":"SUCCESS","document_type":{"code":"a","confidence":"0.5"}}`:     {ID: "j", State: Succeeded, Type: Type{"a", "", 0.5}},
		`{"status":"SUCCESS","document_type":{"code":"a"},"alternatives":[1,{}]}`:  {ID: "j", State: Succeeded, Type: Type{"a", "", 0}},
		`{"status":"SUCCESS","document_type":{"code":"a"},"alternatives":{"b":1}}`: {ID: "j", State: Succeeded, Type: Type{"a", "", 0}},
		"{\"status\":\"SUCCESS\",\"document_type\":{\"code\":\"a\xff\"}}":          {ID: "j", State: Succeeded, Type: Type{"a\ufffd", "", 0}},
		`{"status":"SUCCESS","document_type":{"code":"\u0061\/"}}`:                 {ID: "j", State: Succeeded, Type: Type{"a/", "", 0}},
	} {
		st, err := fake(t, 200, nil, body).Status(t.Context(), "j")
		if err != nil || st.ID != want.ID || st.State != want.State || st.Type != want.Type || st.Error != want.Error ||
			!st.Requested.IsZero() || st.Alternatives != nil {
			t.Errorf("%s: %+v %v", body, st, err)
		}
	}
}

func TestUnusableStatus(t *testing.T) {
	for _, body := range []string{"", "null", "[]", `"SUCCESS"`, "{", `{"id":"j"}`, `{"id":"j","status":""}`,
		`{"id":"other","status":"SUCCESS","document_type":{"code":"a"}}`,
		`{"identification_id":"other","status":"ENQUEUED"}`,
		`{"id":"j","status":"SUCCESS"}`,
		`{"id":"j","status":"SUCCESS","document_type":null}`,
		`{"id":"j","status":"SUCCESS","document_type":"invoice"}`,
		`{"id":"j","status":"SUCCESS","document_type":{"code":""}}`,
		`{"id":"j","status":"SUCCESS","document_type":{"code":"` + testKey + `"}}`,
		`{"id":"j","status":"ENQUEUED"} trailing`,
		"<html>maintenance</html>",
		`{"id":"j","status":"ENQUEUED","x":"` + strings.Repeat("x", maxAnswer) + `"}`,
	} {
		_, err := fake(t, 200, nil, body).Status(t.Context(), "j")
		if e := asError(t, err); e.Class != Service || e.Message == "" || e.Unknown {
			t.Errorf("%.60s: %+v", body, e)
		}
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

func TestCutStatus(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":"j","status":"ENQUEUED"}`)
	}))
	_, err := newClient(t, srv.URL).Status(t.Context(), "j")
	if e := asError(t, err); e.Class != Service || e.Err == nil {
		t.Errorf("%+v", e)
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
		if e := asError(t, err); e.Class != Service || !e.Unknown {
			t.Errorf("%q accepted as a job id: %v", id, err)
		}
	}
}

func TestUnknownStateIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	state := "PAUSED"
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			return answering(200, nil, `{"status":"`+state+`"}`)(r)
		})
	})
	for range 3 {
		_, _ = c.Status(context.Background(), "j")
	}
	state = "RESTING"
	_, _ = c.Status(context.Background(), "j")
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "state=PAUSED") {
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
		if err == nil && (st.ID != "j" || (st.State == Succeeded) != (st.Type.Code != "") ||
			!(st.Type.Confidence >= 0 && st.Type.Confidence <= 1)) {
			t.Errorf("%+v", st)
		}
		id, err2 := c.Submit(t.Context(), submission())
		if (err2 == nil) != (CheckJobID(id) == nil) {
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
