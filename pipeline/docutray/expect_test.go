package docutray

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// TestExpect: it is asked whether a document is wanted where the document is
// long or the connection may be dead.
func TestExpect(t *testing.T) {
	var expect string
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		expect = r.Header.Get("Expect")
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"j1","status":"ENQUEUED"}`)
	}))
	c := newClient(t, srv.URL)
	now := time.Now()
	for _, step := range []struct {
		what  string
		size  int
		heard time.Time
		want  string
	}{
		{"the first", 10, time.Time{}, "100-continue"},
		{"small", 10, now.Add(time.Hour), ""},
		{"not so small", maxWhole + 1, now.Add(time.Hour), ""},
		{"large", expectAbove, now.Add(time.Hour), "100-continue"},
		{"after a pause", 10, now.Add(-2 * expectAfter), "100-continue"},
	} {
		c.expect.heard(step.heard)
		if _, err := c.Submit(t.Context(), sized(step.size)); err != nil {
			t.Fatal(err)
		}
		if expect != step.want {
			t.Errorf("%s: Expect %q, want %q", step.what, expect, step.want)
		}
		if c.expect.answered.Load() < now.UnixNano() || c.expect.answered.Load() > time.Now().UnixNano() {
			t.Errorf("%s: the answer was not heard", step.what)
		}
	}
}

// TestPeerWithoutContinue: one that leaves Expect without an answer costs the
// wait once, not at each upload; one that refuses it costs a request.
func TestPeerWithoutContinue(t *testing.T) {
	var expected, plain atomic.Int32
	url := rawServer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if req.Header.Get("Expect") != "" {
			expected.Add(1)
		} else {
			plain.Add(1)
		}
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(c, "HTTP/1.1 202 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"+`{"id":"j"}`)
	})
	c := newClient(t, url, func(c *Config) { c.ContinueTimeout = time.Millisecond })
	for range 3 {
		if _, err := c.Submit(t.Context(), sized(expectAbove+1)); err != nil {
			t.Fatal(err)
		}
	}
	if expected.Load() != 1 || plain.Load() != 2 {
		t.Errorf("%d with Expect, %d without", expected.Load(), plain.Load())
	}
}

func TestPeerThatRefusesExpect(t *testing.T) {
	url := rawServer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if req.Header.Get("Expect") != "" {
			reply(c, "417 Expectation Failed\r\nConnection: close", "")
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		reply(c, "202 OK\r\nConnection: close", `{"id":"j"}`)
	})
	if id, err := newClient(t, url).Submit(t.Context(), sized(expectAbove+1)); err != nil || id != "j" {
		t.Errorf("%q %v", id, err)
	}
}
