package docutray

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"docusort/pipeline/docutray/docutraytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const testKey = docutraytest.DefaultKey

var pdf = []byte("%PDF-1.4\nstream\n(INVOICE amount due) Tj\nendstream\n%%EOF\n")

// newClient returns a client of the server at url and closes it with the test.
func newClient(t testing.TB, url string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{BaseURL: url, Key: StaticKey(testKey), UserAgent: "docusort/test",
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// serve starts a server and closes it with the test.
func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// submission is a small document.
func submission() Submission {
	return Submission{Filename: "scan.pdf", ContentType: "application/pdf", Size: int64(len(pdf)),
		Content: bytes.NewReader(pdf), Types: []string{"invoice", "receipt"}}
}

// sized is a document of size bytes.
func sized(size int) Submission {
	s := submission()
	s.Content, s.Size = bytes.NewReader(make([]byte, size)), int64(size)
	return s
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering is a transport that reads each request and gives the same answer.
func answering(status int, header http.Header, body string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// fake is a client of such a transport.
func fake(t testing.TB, status int, header http.Header, body string) *Client {
	t.Helper()
	return newClient(t, "https://service.invalid", func(c *Config) { c.Transport = answering(status, header, body) })
}

func second[T any](_ T, err error) error { return err }

// asError fails the test unless err is an Error.
func asError(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) is not an *Error", err, err)
	}
	return e
}

func TestWholeWayOfADocument(t *testing.T) {
	for _, alt := range []bool{false, true} {
		sim := docutraytest.New(docutraytest.Options{AltForms: alt, Seed: 3})
		c := newClient(t, serve(t, sim).URL)
		must(t, c.Ping(t.Context()))
		for range 8 { // both forms of the answer
			s := submission()
			s.Metadata = json.RawMessage(`{"a":1}`)
			id, err := c.Submit(t.Context(), s)
			must(t, err)
			st, err := c.Status(t.Context(), id)
			must(t, err)
			if st.State != Succeeded || st.Type.Code != "invoice" || len(st.Alternatives) != 3 || st.Type.Confidence < 0.9 {
				t.Errorf("status %+v", st)
			}
			u, _ := sim.Upload(id)
			if u.Filename != "scan.pdf" || string(u.Metadata) != `{"a":1}` || fmt.Sprint(u.Types) != "[invoice receipt]" {
				t.Errorf("upload %+v", u)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{"Authorization": "Bearer " + testKey,
			"User-Agent": "docusort/test", "Accept": "application/json", "Accept-Encoding": "identity", "Idempotency-Key": ""} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if r.URL.Path != "/prefix/api/identify-async" && r.URL.Path != "/prefix/api/document-types" {
			t.Errorf("path %q", r.URL.Path)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"j1","data":[]}`)
	}))
	c := newClient(t, srv.URL+"/prefix/")
	if _, err := c.Submit(t.Context(), submission()); err != nil {
		t.Error(err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBaseURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://app.docutray.com":       true,
		"https://app.docutray.com:8443/": true,
		"http://127.0.0.1:80":            true,
		"http://127.3.2.1":               true,
		"http://[::1]:80":                true,
		"http://localhost:1":             true,
		"http://app.docutray.com":        false,
		"http://localhost.evil.example":  false,
		"http://192.168.1.1":             false,
		"http://0.0.0.0":                 false,
		"https://":                       false,
		"":                               false,
		"app.docutray.com":               false,
		"ftp://127.0.0.1":                false,
		"https://user:pw@app.example":    false,
		"https://app.example?x=1":        false,
		"https://app.example/#x":         false,
		"https:app.example":              false,
	} {
		_, err := parseBaseURL(url)
		if (err == nil) != ok || (err != nil && !errors.Is(err, ErrBaseURL)) {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: the error shows the password", url)
		}
	}
}

func TestTransport(t *testing.T) {
	if err := loopbackOnly("tcp", "127.0.0.1:80", nil); err != nil {
		t.Error(err)
	}
	for _, a := range []string{"192.0.2.1:80", "[2001:db8::1]:80", "0.0.0.0:80", "nonsense"} {
		if loopbackOnly("tcp", a, nil) == nil {
			t.Errorf("%s: dialled", a)
		}
	}
	base, _ := parseBaseURL("http://localhost")
	tr := newTransport(base, Config{})
	if tr.Proxy != nil {
		t.Error("plain http would go through a proxy")
	}
	if tr.IdleConnTimeout <= 0 || tr.IdleConnTimeout >= 5*time.Second {
		t.Error("connections are kept for longer than servers keep them:", tr.IdleConnTimeout)
	}
	if _, err := tr.DialContext(t.Context(), "tcp", "192.0.2.1:80"); !errors.Is(err, ErrBaseURL) {
		t.Errorf("a name that resolves elsewhere is dialled: %v", err)
	}
}

func TestPingRefusesAnyOtherPage(t *testing.T) {
	for _, body := range []string{"", "<html>sign in</html>", "{}", "[]", "null", `{"data":null}`, `{"data":5}`} {
		if e := asError(t, fake(t, 200, nil, body).Ping(t.Context())); e.Class != Service {
			t.Errorf("%q: %v", body, e)
		}
	}
	if err := fake(t, 200, nil, `{"data":[]}`).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCancelledBeforeTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newClient(t, serve(t, docutraytest.New(docutraytest.Options{})).URL)
	_, err := c.Submit(ctx, submission())
	e := asError(t, err)
	if !errors.Is(err, context.Canceled) || e.Class != Local || e.Sent || e.OutcomeUnknown {
		t.Errorf("%+v", e)
	}
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestObserve(t *testing.T) {
	broken := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") })
	for want, c := range map[string]struct {
		transport http.RoundTripper
		ask       func(*Client)
	}{
		"submit 202":       {answering(202, nil, `{"id":"job1"}`), func(c *Client) { _, _ = c.Submit(t.Context(), submission()) }},
		"status 404":       {answering(404, nil, `{}`), func(c *Client) { _, _ = c.Status(t.Context(), "job1") }},
		"ping 200":         {answering(200, nil, `no JSON`), func(c *Client) { _ = c.Ping(t.Context()) }},
		"document types 0": {broken, func(c *Client) { _, _ = c.DocumentTypes(t.Context()) }},
	} {
		var seen []string
		c.ask(newClient(t, "https://service.invalid", func(cfg *Config) {
			cfg.Transport = c.transport
			cfg.Observe = func(op string, status int, _ time.Duration) { seen = append(seen, fmt.Sprint(op, " ", status)) }
		}))
		if !slices.Equal(seen, []string{want}) {
			t.Errorf("observed %q, want %q", seen, want)
		}
	}
}
