package docutray

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rawServer passes each connection, numbered from 1, to handle and then closes
// it. It stops with the test.
func rawServer(t *testing.T, handle func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			handle(n, c, bufio.NewReader(c))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return "http://" + ln.Addr().String()
}

// head reads a request's head.
func head(r *bufio.Reader) (text string) {
	for {
		line, err := r.ReadString('\n')
		text += line
		if err != nil || line == "\r\n" {
			return text
		}
	}
}

const goOn = "HTTP/1.1 100 Continue\r\n\r\n"

// request reads a whole request, with the body if there is one.
func request(c net.Conn, r *bufio.Reader) {
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	if req.Header.Get("Expect") != "" {
		_, _ = io.WriteString(c, goOn)
	}
	_, _ = io.Copy(io.Discard, req.Body)
}

func reply(c net.Conn, status, body string) {
	_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
}

// TestBrokenSubmission breaks a submission at each point and checks whether the
// error says that bytes were sent and that a job may exist.
func TestBrokenSubmission(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 32<<20) // more than sockets hold
	for name, c := range map[string]struct {
		handle        func(c net.Conn, r *bufio.Reader)
		sent, unknown bool
		class         Class
		status        int
	}{
		"closed at once":         {func(net.Conn, *bufio.Reader) {}, false, false, Service, 0},
		"closed after the head":  {func(_ net.Conn, r *bufio.Reader) { head(r) }, false, false, Service, 0},
		"refused after the head": {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "401 No\r\nConnection: close", "{}") }, false, false, Account, 401},
		"gateway after the head": {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "502 No\r\nConnection: close", "{}") }, false, false, Service, 502},
		"closed in the body": {func(c net.Conn, r *bufio.Reader) {
			head(r)
			_, _ = io.WriteString(c, goOn)
			_, _ = io.CopyN(io.Discard, r, 1<<20)
		}, true, true, Service, 0},
		"closed after the body": {func(c net.Conn, r *bufio.Reader) { request(c, r) }, true, true, Service, 0},
		"empty answer":          {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "202 OK\r\nX: y", "") }, true, true, NoID, 202},
		"answer is cut": {func(c net.Conn, r *bufio.Reader) {
			request(c, r)
			_, _ = io.WriteString(c, "HTTP/1.1 202 OK\r\nContent-Length: 99\r\n\r\n"+`{"id":"j"}`)
		}, true, true, Service, 202},
		"answer's head is cut":  {func(c net.Conn, r *bufio.Reader) { request(c, r); _, _ = io.WriteString(c, "HTTP/1.1 20") }, true, true, Service, 0},
		"answer is broken JSON": {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "202 OK", `{"id":"j`) }, true, true, NoID, 202},
		"answer without an id":  {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "202 OK", `{"id":null}`) }, true, true, NoID, 202},
		"answer is no HTTP":     {func(c net.Conn, r *bufio.Reader) { request(c, r); _, _ = io.WriteString(c, "what?\r\n\r\n") }, true, true, Service, 0},
		"service fails":         {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "500 No", "{}") }, true, false, Service, 500},
		"gateway lost it":       {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "504 No", "{}") }, true, true, Service, 504},
		"accepted too early":    {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "202 OK\r\nConnection: close", `{"id":"j"}`) }, false, true, Service, 202},
	} {
		t.Run(name, func(t *testing.T) {
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) { c.handle(conn, r) })
			s := submission()
			s.Content, s.Size = bytes.NewReader(big), int64(len(big))
			id, err := newClient(t, url).Submit(t.Context(), s)
			e := asError(t, err)
			if id != "" || e.Sent != c.sent || e.OutcomeUnknown != c.unknown || e.Class != c.class || e.StatusCode != c.status {
				t.Errorf("sent %v, unknown %v, %v, %d: %v", e.Sent, e.OutcomeUnknown, e.Class, e.StatusCode, err)
			}
		})
	}
}

func TestConnectionRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_ = ln.Close()
	_, err = newClient(t, "http://"+ln.Addr().String()).Submit(t.Context(), submission())
	if e := asError(t, err); e.Sent || e.OutcomeUnknown || e.Class != Service || e.Err == nil {
		t.Errorf("%+v", e)
	}
}

// TestSmallSubmissionInOneWrite: header and body of a small document leave together.
func TestSmallSubmissionInOneWrite(t *testing.T) {
	url := rawServer(t, func(_ int, c net.Conn, _ *bufio.Reader) {
		first := make([]byte, 1<<20)
		n, err := c.Read(first)
		must(t, err)
		if !bytes.HasSuffix(first[:n], []byte("--\r\n")) || !bytes.Contains(first[:n], pdf) {
			t.Errorf("the first %d bytes are not the whole request", n)
		}
		reply(c, "202 OK", `{"id":"j"}`)
	})
	must(t, second(newClient(t, url).Submit(t.Context(), submission())))
}

// TestExpect: only a large document asks first. A peer that ignores or refuses
// the question still gets the document, once.
func TestExpect(t *testing.T) {
	for _, c := range []struct {
		size  int
		asked int32
		peer  string
	}{
		{askAbove / 2, 0, ""},
		{askAbove, 1, "answers"},
		{askAbove, 1, "ignores"},
		{askAbove, 1, "refuses"},
	} {
		var asked, posted atomic.Int32
		url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if req.Header.Get("Expect") != "" {
				asked.Add(1)
				switch c.peer {
				case "answers":
					_, _ = io.WriteString(conn, goOn)
				case "refuses":
					reply(conn, "417 Expectation Failed\r\nConnection: close", "")
					return
				}
			}
			_, _ = io.Copy(io.Discard, req.Body)
			posted.Add(1)
			reply(conn, "202 OK\r\nConnection: close", `{"id":"j"}`)
		})
		client := newClient(t, url)
		client.own.ExpectContinueTimeout = time.Minute
		if c.peer == "ignores" {
			client.own.ExpectContinueTimeout = time.Millisecond
		}
		id, err := client.Submit(t.Context(), sized(c.size))
		if err != nil || id != "j" || asked.Load() != c.asked || posted.Load() != 1 {
			t.Errorf("%d bytes, peer %s: %q %v, %d questions, %d documents", c.size, c.peer, id, err, asked.Load(), posted.Load())
		}
	}
}

// TestNoReplay: once a byte of the body has left, nothing sends it again.
func TestNoReplay(t *testing.T) {
	var posts atomic.Int32
	url := rawServer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request(c, r)
		posts.Add(1)
	})
	_, err := newClient(t, url).Submit(t.Context(), submission())
	if e := asError(t, err); !e.OutcomeUnknown || posts.Load() != 1 {
		t.Errorf("%v, %d submissions", e, posts.Load())
	}
}

// TestContentAfterReturn: nobody reads the content after Submit has returned,
// even if the transport was reading it.
func TestContentAfterReturn(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 100_000)
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	var returned atomic.Bool
	for range 20 {
		returned.Store(false)
		s := submission()
		s.Size = 64 << 20
		s.Content = readFunc(func(p []byte) (int, error) {
			if returned.Load() {
				t.Error("read after the return")
			}
			return len(p), nil
		})
		_, err := newClient(t, srv.URL).Submit(t.Context(), s)
		returned.Store(true)
		if e := asError(t, err); !e.Sent || errors.Is(err, ErrContent) {
			t.Errorf("%+v", e)
		}
	}
}

// TestBodyAfterReturn: a transport that still holds the body when RoundTrip has
// returned reads nothing more of it.
func TestBodyAfterReturn(t *testing.T) {
	var body io.Reader
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			body = r.Body
			return &http.Response{StatusCode: 429, Body: http.NoBody}, nil
		})
	})
	_, err := c.Submit(t.Context(), sized(oneWrite+1))
	if e := asError(t, err); e.Sent {
		t.Errorf("%+v", e)
	}
	if n, err := io.Copy(io.Discard, body); n != 0 || err == nil {
		t.Errorf("%d bytes read after the return, %v", n, err)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestRedirects: neither the key nor the document reaches another place. A
// redirect is the service's failure.
func TestRedirects(t *testing.T) {
	var reached atomic.Int32
	elsewhere := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { reached.Add(1) }))
	for status := 300; status <= 308; status++ {
		for _, to := range []string{elsewhere.URL + "/api/identify-async", "/elsewhere", "//127.0.0.2/x"} {
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					reached.Add(1)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			c := newClient(t, srv.URL)
			for _, err := range []error{second(c.Submit(t.Context(), submission())), second(c.Status(t.Context(), "j")),
				second(c.DocumentTypes(t.Context())), c.Ping(t.Context())} {
				if e := asError(t, err); e.Class != Service || e.StatusCode != status || e.OutcomeUnknown || !strings.Contains(e.Reason(), "DOCUTRAY_BASE_URL") {
					t.Errorf("%d to %s: %+v", status, to, e)
				}
			}
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests reached another place", reached.Load())
	}
}
