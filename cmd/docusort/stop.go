package main

import (
	"cmp"
	"fmt"
	"os"
	"sync"
	"time"
)

// commandStop is how long a command may take to end after a stop, and daemonStop how long
// the daemon may beyond DOCUSORT_SHUTDOWN_GRACE.
const (
	commandStop = 5 * time.Second
	daemonStop  = 12 * time.Second
)

// lastResort ends the process some time after a stop. All that waits can be cancelled, but
// not a system call: one to a file server that is off may not return for days. Each step is
// stored before it is taken, so the next run goes on where this one was.
type lastResort struct {
	mu     sync.Mutex
	within time.Duration
	busy   func() string // names the part that did not end; "" or nil: not known
}

// allow sets how long a stop may take. It does nothing where l is nil, as in tests.
func (l *lastResort) allow(within time.Duration, busy func() string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.within, l.busy = within, busy
}

// end waits, and ends the process.
func (l *lastResort) end() {
	l.mu.Lock()
	within, busy := l.within, l.busy
	l.mu.Unlock()
	time.Sleep(within)
	part := "something"
	if busy != nil {
		part = cmp.Or(busy(), part)
	}
	fmt.Fprintf(os.Stderr, "docusort: %s waits for a disk or file server that does not answer; ended without it after %v. "+
		"Nothing is lost: the next start goes on\n", part, within)
	os.Exit(exitFailed)
}

// busy names a part that has not gone round for long.
func (d *daemon) busy() string {
	const long = 5 * time.Second
	return cmp.Or(d.watcher.Late(long), d.pipeline.Late(long), d.store.Late(long))
}

// slowStart is when a start that does not get on is told of.
const slowStart = 10 * time.Second

// tellSlowStart says on stderr that a start takes long, until started is called.
func (p program) tellSlowStart() (started func() bool) {
	return time.AfterFunc(slowStart, func() {
		fmt.Fprintln(p.stderr, "docusort: still waiting for the folders and the database; is the disk or file server of each there?")
	}).Stop
}
