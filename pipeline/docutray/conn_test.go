package docutray

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestServerClosesKeptConnection: a submission after the service has closed the
// connection that was kept goes out on another one, once.
func TestServerClosesKeptConnection(t *testing.T) {
	for _, size := range []int{len(pdf), oneWrite + 1, askAbove + 1} {
		var posts atomic.Int32
		noticed := make(chan struct{})
		url := rawServer(t, func(n int, c net.Conn, r *bufio.Reader) {
			request(c, r)
			if n > 1 {
				posts.Add(1)
				reply(c, "202 OK", `{"id":"j"}`)
				return
			}
			reply(c, "200 OK", `{"data":[]}`)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, r) // until the client has closed its end
			close(noticed)
		})
		c := newClient(t, url)
		must(t, c.Ping(t.Context()))
		<-noticed
		if id, err := c.Submit(t.Context(), sized(size)); err != nil || id != "j" || posts.Load() != 1 {
			t.Errorf("%d bytes: %q %v, %d submissions", size, id, err, posts.Load())
		}
	}
}

// dyingConn is a connection that breaks once armed: some writes pass, and then
// part of one.
type dyingConn struct {
	net.Conn
	armed         *atomic.Bool
	writes, bytes int
}

func (c *dyingConn) Write(p []byte) (int, error) {
	if !c.armed.Load() {
		return c.Conn.Write(p)
	}
	if c.writes--; c.writes >= 0 {
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:c.bytes])
	return n, syscall.EPIPE
}

// TestNothingSent: a submission counts as sent only if a byte of its body may have
// left. One whose content was not even read is made on another connection.
func TestNothingSent(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"j","data":[]}`)
	}))
	for name, c := range map[string]struct {
		size, writes, bytes int
		made, sent          bool
	}{
		"small, nothing":         {100, 0, 0, false, false},
		"small, a part":          {100, 0, 300, false, true},
		"large, no header":       {oneWrite + 1, 0, 0, true, true},
		"large, only the header": {oneWrite + 1, 1, 0, false, false},
		"large, a part":          {oneWrite + 1, 1, 1, false, true},
	} {
		client := newClient(t, srv.URL)
		var armed atomic.Bool
		dial, dialled := client.own.DialContext, 0
		client.own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if dialled++; dialled > 1 || err != nil {
				return conn, err
			}
			return &countedConn{Conn: &dyingConn{Conn: conn, armed: &armed, writes: c.writes, bytes: c.bytes}}, nil
		}
		must(t, client.Ping(t.Context()))
		armed.Store(true)
		_, err := client.Submit(t.Context(), sized(c.size))
		if c.made {
			must(t, err)
			continue
		}
		if e := asError(t, err); e.Class != Service || e.Sent != c.sent || e.OutcomeUnknown != c.sent {
			t.Errorf("%s: sent %v, unknown %v: %v", name, e.Sent, e.OutcomeUnknown, e)
		}
	}
}
