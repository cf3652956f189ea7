package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
)

// proxy stands between docusort and the service, and breaks connections.
type proxy struct {
	t        *testing.T
	service  string
	listener net.Listener
	mu       sync.Mutex
	cuts     []breakAt // of the connections to come; then all are well
	open     map[net.Conn]bool
	all      sync.WaitGroup
}

// breakAt breaks a connection after so many bytes in a direction; a negative number is
// never.
type breakAt struct {
	up, down int64
	reset    bool // by RST instead of FIN
}

var unbroken = breakAt{up: -1, down: -1}

func (w *world) newProxy(cuts []breakAt) *proxy {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	noErr(w.t, err)
	x := &proxy{
		t: w.t, service: strings.TrimPrefix(w.server.URL, "http://"), listener: listener, cuts: cuts, open: map[net.Conn]bool{},
	}
	w.connectionsBreak = true
	w.settings["DOCUTRAY_BASE_URL"] = "http://" + listener.Addr().String()
	x.all.Go(x.accept)
	w.t.Cleanup(x.close)
	return x
}

func (x *proxy) accept() {
	for {
		near, err := x.listener.Accept()
		if err != nil {
			return
		}
		c := unbroken
		x.mu.Lock()
		if len(x.cuts) > 0 {
			c, x.cuts = x.cuts[0], x.cuts[1:]
		}
		x.open[near] = true
		x.mu.Unlock()
		x.all.Go(func() { x.carry(near, c) })
	}
}

// carry passes bytes both ways until either side ends or the break is reached.
func (x *proxy) carry(near net.Conn, c breakAt) {
	defer func() {
		near.Close()
		x.mu.Lock()
		delete(x.open, near)
		x.mu.Unlock()
	}()
	far, err := net.Dial("tcp", x.service)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn, limit int64) {
		var source io.Reader = from
		if limit >= 0 {
			source = io.LimitReader(from, limit)
		}
		_, _ = io.Copy(to, source)
		ended <- struct{}{}
	}
	go pass(far, near, c.up)
	go pass(near, far, c.down)
	<-ended
	if c.reset {
		_ = near.(*net.TCPConn).SetLinger(0)
	}
	near.Close()
	far.Close()
	<-ended
}

// left returns how many breaks are still to come.
func (x *proxy) left() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.cuts)
}

func (x *proxy) close() {
	x.listener.Close()
	x.mu.Lock()
	for c := range x.open {
		c.Close()
	}
	x.mu.Unlock()
	x.all.Wait()
}

// someBreaks returns random breaks in requests and answers, on new connections and on
// used ones. Between two of them is a connection that serves for a while, or the pauses
// would be long.
func someBreaks(r *rand.Rand, n int) (cuts []breakAt) {
	for range n {
		c := unbroken
		if r.IntN(2) == 0 {
			c.up = r.Int64N(2500) // head, fields, document, its end; a second request
		} else {
			c.down = r.Int64N(700) // 100 Continue, head, body; a second answer
		}
		c.reset = r.IntN(2) == 0
		cuts = append(cuts, c, breakLater(r))
	}
	return cuts
}

// breakLater breaks a connection after it has served for a while.
func breakLater(r *rand.Rand) breakAt { return breakAt{up: 5000 + r.Int64N(5000), down: -1} }

// TestConnectionsBreak: wherever a connection breaks, nothing is lost, nothing fails, and
// no more whole documents reach the service than the database has submissions.
func TestConnectionsBreak(t *testing.T) {
	r := random(t)
	n := 24
	if *long {
		n = 1000
	}
	w := newWorldWith(t, docutraytest.Options{AltForms: true, Seed: r.Uint64()})
	w.checkBreaks(someBreaks(r, n), func() string { return strings.Repeat(" padding", r.IntN(100)) })
}

// checkBreaks drops documents until all connections have broken.
func (w *world) checkBreaks(breaks []breakAt, padding func() string) {
	w.t.Helper()
	w.requestsMayRepeat = true
	x := w.newProxy(breaks)
	d := w.start("run")
	for i := 0; x.left() > 0 && i < 100*len(breaks); i++ {
		w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i, padding())))
		w.waitFor("not all of them wait", func(r *reportJSON) bool { return r.unfinished() < 8 })
	}
	r := w.finish(d)
	w.checkWhole(&r)
	again := w.resubmissions(&r)
	for h, n := range w.api.Stats().CompleteBySHA256 {
		if n > 1+again[h] {
			w.t.Errorf("document %.8s arrived whole %d times; the database has %d resubmissions", h, n, again[h])
		}
	}
}
