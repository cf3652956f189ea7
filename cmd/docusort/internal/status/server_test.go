package status

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestThePageSaysWhatTheRecordSays(t *testing.T) {
	w := newWorld(t)
	w.file("scan <1>.pdf", "invoice")
	w.fail("mail.eml", "unsupported format: e-mail")
	w.pend("in flight.pdf")
	_, url := w.serve()
	for _, path := range []string{"/", "/?window=1h", "/?window=all"} {
		resp, body := w.get(url + path)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %s", path, resp.Status)
		}
		w.contains(body, "<h1>docusort on ", "docusort has been running since", "scan &lt;1&gt;.pdf", "unsupported format: e-mail", "in flight.pdf",
			"the service is working on it", "filed: /srv/docusort/sorted/invoice/scan &lt;1&gt;.pdf", "Documents finished", "docusort 1.2.3")
		if strings.Contains(body, "scan <1>") || strings.Contains(body, " style=") {
			t.Errorf("%s: something is not escaped:\n%s", path, body)
		}
	}
	for _, path := range []string{"/?window=2h", "/../../etc/passwd"} { // neither exists
		if resp, _ := w.get(url + path); resp.StatusCode != 404 {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if _, body := w.get(url + "/healthz"); body != "{\"status\":\"ok\"}\n" {
		t.Errorf("/healthz: %s", body)
	}
}

// request sends a request as it is, and returns the status.
func request(t *testing.T, s *Server, method, path, host string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return resp // with its head alone; the body of events has no end
}

func TestTheGuard(t *testing.T) {
	w := newWorld(t)
	s, _ := w.serve()
	for _, path := range []string{"/", "/healthz", "/metrics", "/style.css", "/follow.js", "/favicon.svg", "/nothing"} {
		resp := request(t, s, "GET", path, "localhost")
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := resp.Header.Get(name); got != want && !(path == "/nothing" && name == "Cache-Control") {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
	for _, c := range []struct {
		method, host string
		want         int
	}{
		{"GET", "localhost", 200}, {"GET", "LOCALHOST:9464", 200}, {"GET", "127.0.0.1:1", 200}, {"GET", "[::1]", 200},
		{"HEAD", "localhost", 200}, {"GET", "evil.example", 403}, {"GET", "localhost.evil.example:9464", 403},
		{"GET", "192.0.2.1", 403}, {"GET", "", 403}, {"POST", "localhost", 405}, {"DELETE", "localhost", 405}, {"OPTIONS", "localhost", 405},
	} {
		for _, path := range []string{"/", "/metrics", "/healthz"} {
			if resp := request(t, s, c.method, path, c.host); resp.StatusCode != c.want {
				t.Errorf("%s %s of %q: %d, want %d", c.method, path, c.host, resp.StatusCode, c.want)
			}
		}
	}
	if got := request(t, s, "HEAD", "/events", "localhost"); got.StatusCode != 200 {
		t.Errorf("HEAD /events: %s", got.Status)
	}
}

func TestOurHost(t *testing.T) {
	for _, c := range []struct {
		host, configured string
		want             bool
	}{
		{"scans.example.com:9464", "scans.example.com", true}, {"Scans.Example.Com.", "scans.example.com", true},
		{"other.example.com", "scans.example.com", false}, {"192.0.2.7", "192.0.2.7", true}, {"192.0.2.8", "192.0.2.7", false},
		{"[2001:db8::1]:80", "2001:db8::1", true}, {"192.0.2.8", "0.0.0.0", true}, {"[2001:db8::1]", "::", true},
		{"machine", "0.0.0.0", true}, {"machine.local:1", "0.0.0.0", true}, {"machine.evil.example", "0.0.0.0", false},
		{"machine", "127.0.0.1", false}, {"127.0.0.1.evil.example", "127.0.0.1", false}, {"localhost", "192.0.2.7", true},
	} {
		if got := ourHost(c.host, c.configured, "machine"); got != c.want {
			t.Errorf("%q on %q: %v", c.host, c.configured, got)
		}
	}
}

// However many follow, the record is read once for all, and there is an end to
// how many may.
func TestManyViewersCostTheSameAsOne(t *testing.T) {
	w := newWorld(t)
	s, url := w.serve()
	for range maxViewers {
		w.follow(url).next(t)
	}
	resp := request(t, s, "GET", "/events", "localhost")
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s", resp.Status)
	}
	r := s.cache
	day := query{window: windows[1], page: 1}
	one, err := r.view(w.ctx, day)
	w.ok(err)
	for range 100 {
		if v, _ := r.view(w.ctx, day); v != one && v.at.Sub(one.at) < readEvery {
			t.Fatalf("it was read again after %v", v.at.Sub(one.at))
		}
	}
}

func TestNothingIsReadWithoutNeed(t *testing.T) {
	w := newWorld(t)
	s, _ := w.serve()
	r := s.cache
	now := reading{at: time.Now(), files: r.files()}
	for name, c := range map[string]struct {
		change func(*reading)
		want   bool
	}{
		"just read":                    {func(*reading) {}, true},
		"nothing written since":        {func(l *reading) { l.at = now.at.Add(-5 * time.Second) }, true},
		"old":                          {func(l *reading) { l.at = now.at.Add(-staleAfter) }, false},
		"written since":                {func(l *reading) { l.at = now.at.Add(-5 * time.Second); l.files[1].size++ }, false},
		"written since, slow to read":  {func(l *reading) { l.at = now.at.Add(-5 * time.Second); l.files[1].size++; l.cost = time.Second }, true},
		"slow to read, and long since": {func(l *reading) { l.at = now.at.Add(-time.Minute); l.files[1].size++; l.cost = time.Second }, false},
	} {
		last := now
		c.change(&last)
		if got := r.fresh(last); got != c.want {
			t.Errorf("%s: fresh is %v", name, got)
		}
	}
}

// TestIdleConnectionsMakeRoom: whoever holds connections open keeps nobody from the page.
// One that is in use stays.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	w := newWorld(t)
	s, url := w.serve()
	viewer := w.follow(url)
	viewer.next(t)
	var idle []net.Conn
	for range 2 * maxConnections {
		conn, err := net.Dial("tcp", s.Addr().String())
		w.ok(err)
		t.Cleanup(func() { conn.Close() })
		idle = append(idle, conn)
	}
	if resp := request(t, s, "GET", "/healthz", "localhost"); resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", resp.Status)
	}
	w.ok(idle[0].SetReadDeadline(time.Now().Add(time.Second))) // before the server's own timeout
	if _, err := idle[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the first idle connection: %v", err)
	}
	w.file("scan.pdf", "invoice")
	viewer.next(t)
}

// TestConnectionsMakeRoom: one host's connections make room among themselves; beyond the
// limit for all, the first of the idle ones is closed, whose ever.
func TestConnectionsMakeRoom(t *testing.T) {
	var c connections
	open := func(addr string) conn {
		one := conn{addr: addr, closed: new(bool)}
		c.track(one, http.StateNew)
		return one
	}
	other, busy := open("192.0.2.2:1"), open("192.0.2.1:1")
	c.track(busy, http.StateActive)
	var of []conn
	for i := range maxOfHost {
		of = append(of, open(fmt.Sprintf("192.0.2.1:%d", i+2)))
	}
	if *other.closed || *busy.closed || !*of[0].closed || *of[1].closed {
		t.Error("another one than the first of the idle ones of the host was closed")
	}
	for i := len(c.open); i <= maxConnections; i++ {
		open(fmt.Sprintf("198.51.100.%d:1", i))
	}
	if !*other.closed || *busy.closed || *of[1].closed || len(c.open) != maxConnections {
		t.Errorf("another one than the first of the idle ones was closed; %d are open", len(c.open))
	}
}

// conn is a connection from an address.
type conn struct {
	net.Conn
	addr   string
	closed *bool
}

func (c conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.addr)) }
func (c conn) Close() error         { *c.closed = true; return nil }

// TestSeenFromElsewhere: an address that other machines reach is warned about.
func TestSeenFromElsewhere(t *testing.T) {
	for addr, want := range map[string]bool{"0.0.0.0:0": true, "127.0.0.1:0": false} {
		var log strings.Builder
		s, err := Listen(Config{Addr: addr, Logger: slog.New(slog.NewTextHandler(&log, nil)), Meter: NewMeter()})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if got := strings.Contains(log.String(), "can be reached from other machines"); got != want {
			t.Errorf("%s: warned: %v", addr, got)
		}
	}
}

// TestUnixSocket: the page is for who may use the socket, and one that a killed daemon
// left is no obstacle.
func TestUnixSocket(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "page")
	left, err := net.Listen("unix", path)
	w.ok(err)
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	w.ok(left.Close())
	w.serve(func(c *Config) { c.Addr = "unix:" + path })
	info, err := os.Stat(path)
	w.ok(err)
	if info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
	resp, err := client.Get("http://localhost/healthz")
	w.ok(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	if _, err := Listen(Config{Addr: "unix:" + path, Database: w.path}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second server: %v", err)
	}
}

func TestARecordThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	_, url := w.serve(func(c *Config) { c.Database = w.path + ".absent" })
	resp, body := w.get(url + "/healthz")
	if resp.StatusCode != 503 || !strings.Contains(body, `"status":"unreadable"`) || !strings.Contains(body, "no database") {
		t.Errorf("%s %s", resp.Status, body)
	}
	_, body = w.get(url + "/")
	w.contains(body, "the database cannot be read")
	_, body = w.get(url + "/metrics")
	w.contains(body, "docusort_record_readable 0", "docusort_healthy 0")
}
