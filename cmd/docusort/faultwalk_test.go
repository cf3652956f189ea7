package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"golang.org/x/sys/unix"
)

// walkFaults calls try with N = 1, 2, 3 … until the fault does not come any more, with
// every error where the run is to be long; otherwise with every third N and one
// error, as they are drawn.
func walkFaults(t *testing.T, op string, try func(t *testing.T, f fault) (came bool)) {
	const together = 4
	r, step := random(t), 3
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
			t.Fatal("no run without the fault")
		}
	}
}

// newFaultWorld has a document that is filed and one that fails, each with a file
// beside it.
func newFaultWorld(t *testing.T, far bool) *world {
	t.Helper()
	w := newCrashWorld(t, far, docutraytest.Options{Latency: 10 * time.Millisecond})
	w.settings["DOCUSORT_LOG_LEVEL"] = "info"
	return w
}

func (w *world) dropTwo() {
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.drop("notes.txt", noDocument("one"))
}

// TestFaultOnce: each operation on a file, each commit and each query fails once, which only
// causes a delay.
func TestFaultOnce(t *testing.T) {
	t.Parallel()
	for _, place := range movings {
		for _, op := range []string{"file", "commit", "read"} {
			if op != "file" && place.far && !*long {
				continue
			}
			t.Run(place.name+"/"+op, func(t *testing.T) {
				t.Parallel()
				walkFaults(t, op, func(t *testing.T, f fault) bool {
					w := newFaultWorld(t, place.far)
					w.dropTwo()
					c := w.startInjected(injection{Fault: f}, "run")
					w.waitInboxEmpty(c)
					w.finish(c)
					w.checkSubmissions(1)
					return strings.Contains(c.stderr.String(), injected)
				})
			})
		}
	}
}
