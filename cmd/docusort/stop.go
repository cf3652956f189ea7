package main

import (
	"fmt"
	"os"
	"sync/atomic"
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
	within atomic.Int64 // nanoseconds
}

// allow sets how long a stop may take. It does nothing where l is nil, as in tests.
func (l *lastResort) allow(within time.Duration) {
	if l != nil {
		l.within.Store(int64(within))
	}
}

// end waits, and ends the process.
func (l *lastResort) end() {
	within := time.Duration(l.within.Load())
	time.Sleep(within)
	fmt.Fprintf(os.Stderr, "docusort: a disk or file server does not answer; ended without it after %v. "+
		"Nothing is lost: the next start goes on\n", within)
	os.Exit(exitFailed)
}

// slowStart is when a start that does not get on is told of.
const slowStart = 10 * time.Second

// tellSlowStart says on stderr that a start takes long, until started is called.
func (p program) tellSlowStart() (started func() bool) {
	return time.AfterFunc(slowStart, func() {
		fmt.Fprintln(p.stderr, "docusort: still waiting for the folders and the database; is the disk or file server of each there?")
	}).Stop
}
