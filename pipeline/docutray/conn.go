package docutray

import (
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// countedConn counts the bytes that may have been sent.
type countedConn struct {
	net.Conn
	sent atomic.Int64
}

// Write implements io.Writer.
func (c *countedConn) Write(p []byte) (int, error) {
	c.sent.Add(int64(len(p))) // those of a Write that has not returned may be on their way
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n - len(p)))
	return n, err
}

// sentCount is what was sent for a request on the client's own transport. A kept
// connection may have died before anything was.
type sentCount struct {
	conn   atomic.Pointer[countedConn] // nil until there is a connection
	reused atomic.Bool                 // it was a kept one
	before atomic.Int64                // sent on it before the request, or its body, began
}

// begin notes the connection of the request.
func (s *sentCount) begin(i httptrace.GotConnInfo) {
	conn := i.Conn
	for t, ok := conn.(*tls.Conn); ok; t, ok = conn.(*tls.Conn) {
		conn = t.NetConn()
	}
	counted, _ := conn.(*countedConn)
	s.conn.Store(counted)
	s.reused.Store(i.Reused)
	s.beginBody()
}

func (s *sentCount) beginBody() {
	if c := s.conn.Load(); c != nil {
		s.before.Store(c.sent.Load())
	}
}

// any reports whether anything may have been sent since.
func (s *sentCount) any() bool {
	c := s.conn.Load()
	return c != nil && c.sent.Load() > s.before.Load()
}
