package status

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

const (
	maxConnections = 128
	maxOfHost      = 64 // connections of one address; everybody on this machine shares one
)

// connections bounds how many connections are open. Beyond that the one that has been
// idle for longest makes room for a new one, so that nobody silences the page for others
// by holding connections open. A new one that finds no idle one is closed.
type connections struct {
	mu   sync.Mutex
	open []connection // the one that has been in its state for longest first
}

type connection struct {
	net.Conn
	host string // empty: a Unix socket's
	idle bool
}

// track is the [http.Server.ConnState] of a server.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = slices.DeleteFunc(c.open, func(other connection) bool { return other.Conn == conn })
	if state == http.StateClosed || state == http.StateHijacked {
		return
	}
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c.open = append(c.open, connection{conn, host, state != http.StateActive})
	if state == http.StateNew {
		c.makeRoom(host)
	}
}

func (c *connections) makeRoom(host string) {
	ofHost := 0
	for _, conn := range c.open {
		if host != "" && conn.host == host {
			ofHost++
		}
	}
	if len(c.open) <= maxConnections && ofHost <= maxOfHost {
		return
	}
	i := slices.IndexFunc(c.open, func(conn connection) bool { return conn.idle && (ofHost <= maxOfHost || conn.host == host) })
	_ = c.open[i].Close() // there is one: the new one is idle
	c.open = slices.Delete(c.open, i, i+1)
}
