package docutray

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestDeadKeptConnection: a large submission that meets a connection closed by
// the service goes out on another one, once and complete.
func TestDeadKeptConnection(t *testing.T) {
	var posts atomic.Int32
	url := rawServer(t, func(n int, c net.Conn, r *bufio.Reader) {
		request(c, r)
		if n == 1 {
			reply(c, "200 OK", `{"data":[]}`) // kept
			head(r)                           // the submission's; then the connection ends
			return
		}
		posts.Add(1)
		reply(c, "202 OK", `{"id":"j"}`)
	})
	c := newClient(t, url)
	must(t, c.Ping(t.Context()))
	id, err := c.Submit(t.Context(), sized(askAbove+1))
	if err != nil || id != "j" || posts.Load() != 1 {
		t.Errorf("%q %v, %d submissions", id, err, posts.Load())
	}
}

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

// TestNothingWrittenToKeptConnection: a small submission for which the kept connection
// takes no byte goes out on another one, and its outcome is known.
func TestNothingWrittenToKeptConnection(t *testing.T) {
	var posts atomic.Int32
	url := rawServer(t, func(n int, c net.Conn, r *bufio.Reader) {
		request(c, r)
		if n == 1 {
			reply(c, "200 OK", `{"data":[]}`) // kept
			request(c, r)
			return
		}
		posts.Add(1)
		reply(c, "202 OK", `{"id":"j"}`)
	})
	c := newClient(t, url)
	var broken atomic.Bool
	dial := c.own.DialContext
	c.own.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if broken.Load() {
			return dial(ctx, network, addr)
		}
		conn, err := dial(ctx, network, addr)
		return breakingConn{conn, &broken}, err
	}
	must(t, c.Ping(t.Context()))
	broken.Store(true)
	if id, err := c.Submit(t.Context(), submission()); err != nil || id != "j" || posts.Load() != 1 {
		t.Errorf("%q %v, %d submissions", id, err, posts.Load())
	}
}

// breakingConn takes nothing more once it is broken.
type breakingConn struct {
	net.Conn
	broken *atomic.Bool
}

func (c breakingConn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}
