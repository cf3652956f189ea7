package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// movings are the two ways of moving, by where sorted is.
var movings = []struct {
	name string
	far  bool
}{{"rename", false}, {"copy", true}}

// sortedElsewhere puts sorted on another filesystem than the inbox.
func (w *world) sortedElsewhere() {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.Link(w.config(), filepath.Join(dir, "probe")); err == nil {
		w.t.Skip("there is one filesystem only, so that no move is a copy")
	}
	w.sorted = filepath.Join(dir, "sorted")
	w.settings["DOCUSORT_SORTED"] = w.sorted
}

// moveFar has each move be a copy where far.
func (w *world) moveFar(far bool) {
	w.t.Helper()
	if far {
		w.sortedElsewhere()
	}
}

// newCrashWorld uses every way that a document can go.
func newCrashWorld(t *testing.T, far bool, o docutraytest.Options) *world {
	w := newWorldWith(t, o)
	w.moveFar(far)
	w.useEveryWay()
	return w
}

// useEveryWay has documents go to review, have sidecars, and fail with their first job.
func (w *world) useEveryWay() {
	w.review(0.7)
	w.settings["DOCUSORT_SIDECAR"] = "true"
	w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
}

// TestKilledAtEachStep kills the daemon at each step, and the next one at the same step
// again.
func TestKilledAtEachStep(t *testing.T) {
	for _, place := range movings {
		for _, step := range daemonSteps {
			if place.far && !isMove(step) && !*long {
				continue
			}
			times := []int64{1}
			if *long {
				times = []int64{1, 2, 3, 4}
			}
			for _, n := range times {
				name := strings.ReplaceAll(fmt.Sprintf("%s/%s/%d", place.name, step, n), " ", "-")
				t.Run(name, func(t *testing.T) {
					w := newCrashWorld(t, place.far, docutraytest.Options{Latency: 30 * time.Millisecond})
					w.dropOneOfEach("one")
					w.dropUntilKilled(w.startInjected(injection{Step: step, N: n}, "run"))
					w.dropUntilKilled(w.startInjected(injection{Step: step, N: 1}, "run"))
					w.dropOneOfEach("two")
					r := w.runToEnd()
					w.checkUnknownOutcome(&r, step)
				})
			}
		}
	}
}

// dropUntilKilled drops documents until a daemon has reached the step at which it ends
// itself.
func (w *world) dropUntilKilled(c *child) {
	w.t.Helper()
	for i := range 100 {
		select {
		case <-c.ended:
			w.waitKilled(c)
			return
		case <-time.After(500 * time.Millisecond):
			w.drop("late.pdf", pdf(receipt, fmt.Sprintf("%d, process %d", i, c.cmd.Process.Pid)))
		}
	}
	w.waitKilled(c)
}

// checkUnknownOutcome: a daemon that is killed between an upload and the storing of its
// job uploads again, and reports it.
func (w *world) checkUnknownOutcome(r *reportJSON, at step) {
	w.t.Helper()
	if (at == stepSubmitting || at == stepPosted) && r.Requests.Resubmissions == 0 {
		w.t.Error("a POST of unknown outcome is not reported")
	}
}

// TestKilledAtRandom kills daemons at random times, steps and file operations, while
// documents keep coming.
func TestKilledAtRandom(t *testing.T) {
	worlds := []struct {
		name   string
		far    bool
		faults docutraytest.Faults
	}{
		{name: "rename"}, {name: "copy", far: true},
		{name: "bad service", faults: docutraytest.Faults{
			FailSubmit: 0.1, DropBefore: 0.1, DropAfter: 0.1, BrokenJSON: 0.1, FailPoll: 0.1, DropPoll: 0.1,
		}},
	}
	for _, place := range worlds {
		t.Run(place.name, func(t *testing.T) {
			n := 12
			if *long {
				n = 500
			}
			r := random(t)
			w := newCrashWorld(t, place.far, docutraytest.Options{Latency: 100 * time.Millisecond, Sigma: 1, Seed: r.Uint64(), Faults: place.faults})
			w.requestsMayRepeat = place.faults != docutraytest.Faults{}
			w.dropSamples()
			for range n {
				c := w.startInjected(someInjection(r), "run")
				w.dropSome(r, r.IntN(6))
				for range 2 {
					select {
					case <-c.ended:
					case <-time.After(time.Duration(50+r.IntN(600)) * time.Millisecond):
					}
					if strings.Contains(c.stderr.String(), logStarted) {
						_ = c.cmd.Process.Signal(syscall.SIGHUP) // one more try of what was accepted without a job
					}
				}
				_ = c.cmd.Process.Kill()
				w.waitKilled(c)
			}
			w.api.SetFaults(docutraytest.Faults{})
			c := w.startDaemon()
			c.signal(syscall.SIGHUP)
			w.finish(c)
		})
	}
}

// someInjection returns a random point where a daemon ends itself, if it gets there.
func someInjection(r *rand.Rand) injection {
	switch steps := daemonSteps; r.IntN(3) {
	case 0:
		return injection{Step: steps[r.IntN(len(steps))], N: 1 + r.Int64N(12)}
	case 1:
		return injection{FileOp: true, N: 1 + r.Int64N(60)}
	}
	return injection{}
}

// TestKilledWithManyPending: jobs under way at a kill are polled again, none is paid for
// twice, and a restart with nothing to do makes no request.
func TestKilledWithManyPending(t *testing.T) {
	const many = 100
	w := newWorld(t)
	w.jobsStay.Store(true)
	w.dropMany(many, "%d/scan.pdf")
	c := w.start("run")
	w.waitState("pending", many)
	w.kill(c)
	asked := map[string]int{}
	for _, u := range w.api.Uploads() {
		asked[u.JobID] = u.Polls
	}
	w.jobsStay.Store(false)
	r := w.runToEnd()
	r.checkTotals(t, totals{"filed": many})
	w.checkSubmissions(many)
	for _, u := range w.api.Uploads() {
		if u.Polls <= asked[u.JobID] {
			t.Errorf("job %s was not polled after the restart", u.JobID)
		}
	}
	before := w.api.Stats().Requests
	w.runToEnd()
	if after := w.api.Stats().Requests; after != before {
		t.Errorf("a restart with nothing to do made %d requests", after-before)
	}
}
