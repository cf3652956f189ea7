package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// fault is trouble that a docusort of its own meets.
type fault struct {
	Op    string        // "file", for operations on files, or one of store.Config
	N     int64         // from the N-th operation on, from 1
	While string        // as long as this file exists; "": once
	Errno syscall.Errno // what the system says
}

func (f fault) String() string {
	times := "once"
	if f.While != "" {
		times = "for a while"
	}
	return fmt.Sprintf("%s at %s %d %s", unix.ErrnoName(f.Errno), f.Op, f.N, times)
}

// mayBeOneFile says whether the trouble may be that of one file or folder.
func (f fault) mayBeOneFile() bool { return f.Op == "file" && f.Errno == syscall.EACCES }

// fired is what a process writes each time that its fault has come, before the
// name of the operation.
const fired = "the fault that a test asked for has come at "

func (f fault) hooks() testHooks {
	var n atomic.Int64
	trouble := func(op string) bool {
		i := n.Add(1)
		if i < f.N || i > f.N && f.While == "" {
			return false
		}
		if f.While != "" {
			if _, err := os.Stat(f.While); err != nil {
				return false
			}
		}
		fmt.Fprintln(os.Stderr, fired+op)
		return true
	}
	if f.Op == "file" {
		return testHooks{file: func(op string, done bool) error {
			if !done && trouble(op) {
				return f.Errno
			}
			return nil
		}}
	}
	return testHooks{store: func(op string) error {
		if op == f.Op && trouble(op) {
			return sqlite3.Error{Code: said[f.Errno], SystemErrno: f.Errno}
		}
		return nil
	}}
}

// said is what SQLite makes of what the system says.
var said = map[syscall.Errno]sqlite3.ErrNo{
	syscall.ENOSPC: sqlite3.ErrFull, syscall.EIO: sqlite3.ErrIoErr, syscall.EACCES: sqlite3.ErrCantOpen,
	syscall.EROFS: sqlite3.ErrReadonly, syscall.EMFILE: sqlite3.ErrCantOpen, syscall.ENOMEM: sqlite3.ErrNomem,
	syscall.EBUSY: sqlite3.ErrBusy,
}

// errnos are what can be met by an operation.
func errnos(op string) []syscall.Errno {
	all := []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.EROFS, syscall.EMFILE}
	if op != "file" {
		all = append(all, syscall.ENOMEM, syscall.EBUSY)
	}
	return all
}

// walk calls try with N = 1, 2, 3 … until the fault does not come any more, with
// every error where the run is to be long; otherwise with every third N and one
// error, as they are drawn.
func walk(t *testing.T, op string, try func(t *testing.T, f fault) (came bool)) {
	const together = 4
	r, step := draws(t), 3
	if *long {
		step = 1
	}
	for first := 1 + r.IntN(step); ; first += together * step {
		var clean atomic.Bool
		t.Run(fmt.Sprintf("from %d", first), func(t *testing.T) {
			for n := first; n < first+together*step; n += step {
				all := errnos(op)
				if !*long {
					i := r.IntN(len(all))
					all = all[i : i+1]
				}
				for _, errno := range all {
					t.Run(fmt.Sprintf("%d/%s", n, unix.ErrnoName(errno)), func(t *testing.T) {
						t.Parallel()
						if !try(t, fault{Op: op, N: int64(n), Errno: errno}) {
							clean.Store(true)
						}
					})
				}
			}
		})
		if t.Failed() {
			return
		}
		if clean.Load() {
			t.Logf("%s: clean before %d", op, first+together*step)
			return
		}
		if first > 300 {
			t.Fatal("there is no end")
		}
	}
}

// faultWorld has a document that is filed and one that fails, each with a file
// beside it.
func faultWorld(t *testing.T, far bool) *world {
	t.Helper()
	w := crashWorld(t, far, docutraytest.Options{Latency: 10 * time.Millisecond})
	w.settings["DOCUSORT_LOG_LEVEL"] = "info"
	return w
}

func (w *world) dropTwo() {
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.drop("notes.txt", noDocument("one"))
}

// TestFaultOnce: each operation on a file, each commit and each question to the
// record fails once, and nothing comes of it but a delay.
func TestFaultOnce(t *testing.T) {
	t.Parallel()
	for _, place := range places {
		for _, op := range []string{"file", "commit", "read"} {
			if op != "file" && place.far && !*long {
				continue
			}
			t.Run(place.name+"/"+op, func(t *testing.T) {
				t.Parallel()
				walk(t, op, func(t *testing.T, f fault) bool {
					w := faultWorld(t, place.far)
					w.dropTwo()
					c := w.start(death{Fault: f}, "run")
					w.inboxEmpties(c)
					w.allDone()
					w.stop(c)
					w.check()
					w.submitted(1)
					return strings.Contains(c.stderr.String(), fired)
				})
			})
		}
	}
}

// inboxEmpties waits for that, which costs less than the report.
func (w *world) inboxEmpties(c *child) {
	w.t.Helper()
	for end := time.Now().Add(deadline); len(filesIn(w.t, w.inbox)) > 0; time.Sleep(20 * time.Millisecond) {
		select {
		case <-c.ended:
			w.t.Fatalf("%s ended with %d", c.name, c.wait())
		default:
		}
		if time.Now().After(end) {
			r, _ := w.report()
			w.t.Fatalf("%s leaves documents: %+v", c.name, r)
		}
	}
}

// submitted: each content once.
func (w *world) submitted(want int) {
	w.t.Helper()
	if n := w.api.Stats().Submissions; n != want {
		w.t.Errorf("%d submissions, want %d", n, want)
	}
}
