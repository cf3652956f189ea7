package docutray

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestIDOfAcceptedJob: the id is read wherever it stands unmistakably.
func TestIDOfAcceptedJob(t *testing.T) {
	const at = "/api/identify-async/status/"
	for body, want := range map[string]string{
		`{"id":"j"}`:                "j",
		`{"identification_id":"j"}`: "j",
		`{"identificationId":"j"}`:  "j",
		`{"jobId":7}`:               "7",
		`{"data":{"id":"j"}}`:       "j",
		`{"status":"ok","result":{"identification_id":"j"},"data":null}`: "j",
		`{"data":{"status_url":"` + at + `j"}}`:                          "j",
		`{"status_url":"` + at + `j"}`:                                   "j",
		`{"status_url":"https://x.example/v1` + at + `j/?a=b"}`:          "j",
		`{"id":"k","identification_id":"j","status_url":"` + at + `j"}`:  "j",
		`{"id":"j","identification_id":"k"}`:                             "j",
		`{"id":"j","status_url":"` + at + `k"}`:                          "j",
		`{"id":"j","data":{"id":"k"}}`:                                   "j",
		`{"id":"","data":{"id":"j"}}`:                                    "j",
		`{"id":"j","status":"ERROR","error":"too dark"}`:                 "j",
		`{"id":"a b","identification_id":"j"}`:                           "j",
	} {
		if id, err := fake(t, 200, nil, body).Submit(t.Context(), submission()); id != want || err != nil {
			t.Errorf("%s: %q %v", body, id, err)
		}
	}
	for _, body := range []string{"", "{}", "<html>accepted</html>", "OK"} {
		h := http.Header{"Location": {"https://service.invalid" + at + "j"}}
		if id, err := fake(t, 201, h, body).Submit(t.Context(), submission()); id != "j" || err != nil {
			t.Errorf("%s with Location: %q %v", body, id, err)
		}
	}
}

// TestAcceptedWithoutID: an answer of success that names no job is of a class of
// its own. That of a broken connection is not.
func TestAcceptedWithoutID(t *testing.T) {
	for body, says := range map[string]string{
		"":                           "not a JSON object",
		"OK":                         "not a JSON object",
		"[]":                         "not a JSON object",
		`{"id":"j"`:                  "invalid JSON",
		"<html>welcome</html>":       "a page that is not DocuTray's",
		"{}":                         "no usable job id",
		`{"error":"out of\nstock"}`:  "no usable job id: out of stock",
		`{"error":{"id":"j"}}`:       "no usable job id",
		`{"data":[{"id":"j"}]}`:      "no usable job id",
		`{"status_url":"/status/j"}`: "no usable job id",
		`{"status_url":"/api/identify-async/status/"}`: "no usable job id",
	} {
		e := asError(t, second(fake(t, 200, nil, body).Submit(t.Context(), submission())))
		if e.Class != NoID || !e.OutcomeUnknown || !strings.Contains(e.Reason(), says) {
			t.Errorf("%s: %v %+v", body, e, e)
		}
	}
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
			broken := io.MultiReader(strings.NewReader(`{"id":`), readFunc(func([]byte) (int, error) { return 0, errors.New("reset") }))
			return &http.Response{StatusCode: 202, Body: io.NopCloser(broken)}, nil
		})
	})
	if e := asError(t, second(c.Submit(t.Context(), submission()))); e.Class != Service || !e.OutcomeUnknown {
		t.Errorf("%+v", e)
	}
}

// packed is a text as gzip packs it.
func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// TestAnswerWithByteOrderMark: a job that was paid for is known in spite of it.
func TestAnswerWithByteOrderMark(t *testing.T) {
	if id, err := fake(t, 202, nil, "\ufeff"+`{"id":"j"}`).Submit(t.Context(), submission()); id != "j" || err != nil {
		t.Errorf("%q %v", id, err)
	}
}

// TestPackedAnswers: an answer that is compressed although that was refused is
// read, and no more of it than of others.
func TestPackedAnswers(t *testing.T) {
	if id, err := fake(t, 202, nil, packed(`{"id":"j"}`)).Submit(t.Context(), submission()); id != "j" || err != nil {
		t.Errorf("%q %v", id, err)
	}
	if st, err := fake(t, 200, nil, packed(`{"id":"j","status":"ERROR"}`)).Status(t.Context(), "j"); st.State != Failed || err != nil {
		t.Errorf("%+v %v", st, err)
	}
	if e := asError(t, fake(t, 401, nil, packed(`{"error":"Invalid API key"}`)).Ping(t.Context())); e.Message != "Invalid API key" {
		t.Errorf("%+v", e)
	}
	whole := packed(`{"id":"j","status":"ENQUEUED"}`)
	for what, body := range map[string]string{
		"a bomb": packed(`{"id":"j","status":"ENQUEUED","x":"` + strings.Repeat("x", maxAnswer) + `"}`),
		"cut":    whole[:len(whole)-9],
		"mark":   whole[:2],
	} {
		if e := asError(t, second(fake(t, 200, nil, body).Status(t.Context(), "j"))); e.Class != Service || e.Message == "" {
			t.Errorf("%s: %+v", what, e)
		}
	}
}
