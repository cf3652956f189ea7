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

// proxy is a way to the service on which connections break: each is cut after
// some bytes in one of the directions, or not at all.
type proxy struct {
	t        *testing.T
	service  string
	listener net.Listener
	mu       sync.Mutex
	cuts     []breakAt // of the connections to come; then all are well
	open     map[net.Conn]bool
	all      sync.WaitGroup
}

// breakAt ends a connection after so many bytes; a negative number is never.
type breakAt struct {
	up, down int64
	reset    bool // by RST instead of FIN
}

var unbroken = breakAt{up: -1, down: -1}

// newProxy makes one from the world's daemon to its service.
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

// carry passes bytes both ways until either side ends or the cut is reached.
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

// left is how many cuts are still to come.
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

// someBreaks draws where connections break: in each region of what is sent and of
// what is answered, on new connections and on such as were used before. Between
// two that break there is one that does not, or all would wait for long.
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

// breakLater breaks a connection that served for a while, so that another is made.
func breakLater(r *rand.Rand) breakAt { return breakAt{up: 5000 + r.Int64N(5000), down: -1} }

// TestConnectionsBreak: wherever a connection breaks, nothing is lost, nothing
// fails, and no more whole documents reach the service than the record has.
func TestConnectionsBreak(t *testing.T) {
	r := random(t)
	n := 24
	if *long {
		n = 1000
	}
	w := newWorldWith(t, docutraytest.Options{AltForms: true, Seed: r.Uint64()})
	w.requestsMayRepeat = true
	x := w.newProxy(someBreaks(r, n))
	d := w.start("run")
	for i := 0; x.left() > 0 && i < 100*n; i++ {
		w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i, strings.Repeat(" padding", r.IntN(100)))))
		w.waitFor("not all of them wait", func(r *reportJSON) bool { return r.unfinished() < 8 })
	}
	w.waitAllDone()
	w.stop(d)
	got := w.check()
	w.checkArrived(&got)
	t.Logf("%d documents, %+v, %d whole uploads, %d jobs", len(got.Documents), got.Requests, w.api.Stats().Complete, w.api.Stats().Jobs)
}

// checkArrived: what arrived whole at the service is in the record, each
// document's and in all.
func (w *world) checkArrived(r *reportJSON) {
	w.t.Helper()
	submissions, again := w.submissions(), w.resubmissions(r)
	stats := w.api.Stats()
	for h, n := range stats.CompleteBySHA256 {
		if n > submissions[h] {
			w.t.Errorf("document %.8s arrived whole %d times; the record has %d submissions", h, n, submissions[h])
		}
		if n > 1+again[h] {
			w.t.Errorf("document %.8s arrived whole %d times; the record admits to %d", h, n, 1+again[h])
		}
	}
	if stats.Complete > r.Requests.Submissions {
		w.t.Errorf("%d documents arrived whole, %d are reported", stats.Complete, r.Requests.Submissions)
	}
}

// TestEachByte breaks one connection after the other, a byte later each time, in
// one direction and then in the other.
func TestEachByte(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("takes minutes; -long")
	}
	for _, up := range []bool{true, false} {
		t.Run(map[bool]string{true: "request", false: "answer"}[up], func(t *testing.T) {
			r := random(t)
			w := newWorld(t)
			w.requestsMayRepeat = true
			var cuts []breakAt
			for at := range int64(1500) {
				c := breakAt{up: at, down: -1}
				if !up {
					c = breakAt{up: -1, down: at}
				}
				cuts = append(cuts, c, breakLater(r))
			}
			x := w.newProxy(cuts)
			d := w.start("run")
			for i := 0; x.left() > 0; i++ {
				w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i)))
				w.waitFor("not all of them wait", func(r *reportJSON) bool { return r.unfinished() < 8 })
			}
			w.waitAllDone()
			w.stop(d)
			got := w.check()
			w.checkArrived(&got)
		})
	}
}
