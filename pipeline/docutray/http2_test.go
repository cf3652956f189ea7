package docutray

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/http2"

	"docusort/pipeline/docutray/docutraytest"
)

// newTLS serves h over TLS, and HTTP/2 if configured, and returns a client that
// trusts the server.
func newTLS(t *testing.T, h http.Handler, http2 bool) (*Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL)
	c.own.TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return c, srv
}

func TestHTTP2(t *testing.T) {
	sim := docutraytest.New(docutraytest.Options{})
	c, srv := newTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("the client speaks %s", r.Proto)
		}
		sim.ServeHTTP(w, r)
	}), true)
	big := append(bytes.Clone(pdf), make([]byte, 3<<20)...)
	s := submission()
	s.Content, s.Size = bytes.NewReader(big), int64(len(big))
	id, err := c.Submit(t.Context(), s)
	must(t, err)
	if st, err := c.Status(t.Context(), id); err != nil || st.State != Succeeded {
		t.Errorf("%+v %v", st, err)
	}
	s.Content = io.MultiReader(bytes.NewReader(big), iotest.ErrReader(errHash))
	_, err = c.Submit(t.Context(), s)
	if e := asError(t, err); e.Class != Local || e.OutcomeUnknown || !errors.Is(err, errHash) {
		t.Errorf("%+v", e)
	}
	sim.SetFaults(docutraytest.Faults{DropAfter: 1})
	_, err = c.Submit(t.Context(), submission())
	if e := asError(t, err); e.Class != Service || !e.OutcomeUnknown || !e.Sent {
		t.Errorf("%+v", e)
	}
	c.Close()
	srv.Close()
	if st := sim.Stats(); st.Complete != 2 || st.Jobs != 2 {
		t.Errorf("%+v", st)
	}
}

// TestProxyTrouble: an error tells the proxy's trouble from the service's.
func TestProxyTrouble(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Authorization") != "" {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	address, _ := url.Parse(proxy.URL)
	c := newClient(t, "https://service.invalid")
	c.own.Proxy = http.ProxyURL(address)
	for _, want := range []string{"407 Proxy Authentication Required", "connection refused"} {
		e := asError(t, second(c.Submit(t.Context(), submission())))
		if e.Class != Service || e.Sent || e.OutcomeUnknown || !errors.Is(e, ErrProxy) || !strings.Contains(e.Reason(), want) {
			t.Errorf("%+v", e)
		}
		proxy.Close()
	}
}

// point is the moment in a submission at which a peer acts.
type point int

const (
	afterHead  point = iota // and before any of the body
	inBody                  // some of it arrived
	afterWhole              // all of it arrived
)

// act is what a peer does to a stream. It reports whether to keep the connection.
type act func(f *http2.Framer, stream uint32) (keep bool)

// serveFrames speaks HTTP/2 on conn, counts complete bodies, and acts on each
// submission at a point.
func serveFrames(conn net.Conn, whole *atomic.Int32, at point, do act) {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(conn, conn)
	_ = f.WriteSettings()
	acted := map[uint32]bool{}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		now := false
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				_ = f.WritePing(true, frame.Data)
			}
		case *http2.HeadersFrame:
			now = at == afterHead
		case *http2.DataFrame:
			if n := frame.Length; n > 0 {
				_, _ = f.WriteWindowUpdate(0, n), f.WriteWindowUpdate(frame.StreamID, n)
			}
			now = at == inBody
			if frame.StreamEnded() {
				whole.Add(1)
				now = at == afterWhole
			}
		}
		if id := frame.Header().StreamID; now && !acted[id] {
			acted[id] = true
			if !do(f, id) {
				return
			}
		}
	}
}

// TestFramesThatEndASubmission: however a peer ends a stream or a connection,
// nothing sends the document again, and the outcome is unknown if the document
// may have arrived complete.
func TestFramesThatEndASubmission(t *testing.T) {
	resets := func(code http2.ErrCode) act {
		return func(f *http2.Framer, id uint32) bool { return f.WriteRSTStream(id, code) == nil }
	}
	away := func(code http2.ErrCode, keep bool) act {
		return func(f *http2.Framer, _ uint32) bool { return f.WriteGoAway(0, code, nil) == nil && keep }
	}
	for name, do := range map[string]act{
		"refused stream":    resets(http2.ErrCodeRefusedStream),
		"cancelled stream":  resets(http2.ErrCodeCancel),
		"internal error":    resets(http2.ErrCodeInternal),
		"no error":          resets(http2.ErrCodeNo),
		"going away":        away(http2.ErrCodeNo, true),
		"gone away":         away(http2.ErrCodeNo, false),
		"calm down":         away(http2.ErrCodeEnhanceYourCalm, false),
		"connection closed": func(*http2.Framer, uint32) bool { return false },
		"away and refused": func(f *http2.Framer, id uint32) bool {
			return f.WriteGoAway(0, http2.ErrCodeNo, nil) == nil && f.WriteRSTStream(id, http2.ErrCodeRefusedStream) == nil
		},
	} {
		for at, when := range []string{"after the head", "in the body", "after the body"} {
			t.Run(fmt.Sprint(name, " ", when), func(t *testing.T) {
				t.Parallel()
				var whole atomic.Int32
				c := newFramesClient(t, &whole, point(at), do)
				_, err := c.Submit(t.Context(), sized(300_000))
				e := asError(t, err)
				c.Close()
				if n := whole.Load(); n > 1 || n == 1 && !e.OutcomeUnknown {
					t.Errorf("%d complete bodies arrived; outcome unknown is %v: %v", n, e.OutcomeUnknown, err)
				}
				if e.Class != Service {
					t.Errorf("%+v", e)
				}
			})
		}
	}
}

// newFramesClient returns a client of a peer that runs serveFrames.
func newFramesClient(t *testing.T, whole *atomic.Int32, at point, do act) *Client {
	t.Helper()
	c, trusted := newTLS(t, nil, false)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: trusted.TLS.Certificates, NextProtos: []string{"h2"},
	})
	must(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				serveFrames(conn, whole, at, do)
			})
		}
	})
	t.Cleanup(func() { c.Close(); _ = ln.Close(); all.Wait() })
	c.base.Host = ln.Addr().String()
	c.own.ExpectContinueTimeout = time.Millisecond
	return c
}
