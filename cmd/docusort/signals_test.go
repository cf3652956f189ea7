package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// slowUploads makes every upload hang until the returned function is called.
// ready is told of each.
func (w *world) slowUploads() (begun <-chan struct{}, release func()) {
	arrived, let := make(chan struct{}, 1000), make(chan struct{})
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			arrived <- struct{}{}
			select {
			case <-let:
			case <-r.Context().Done():
			}
		}
		return w.intercept(rw, r)
	})
	release = sync.OnceFunc(func() { close(let) })
	w.t.Cleanup(release)
	return arrived, release
}

// TestStopDuringUploads: uploads under way end, their jobs are stored, nothing
// new is begun, and the next daemon asks for the jobs.
func TestStopDuringUploads(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_WORKERS"] = "3"
	begun, release := w.slowUploads()
	w.jobsStay.Store(true)
	w.dropMany(6, "%d.pdf")
	c := w.start("run")
	for range 3 {
		<-begun
	}
	w.waitFor("the others wait", func(r *reportJSON) bool { return r.Totals["submitting"] == 3 && r.Totals["waiting"] == 3 })
	c.signal(syscall.SIGTERM)
	c.waitOutput(logStopping)
	release()
	c.waitExit(exitDone)
	r, _ := w.report()
	if r.Daemon.Running || r.Totals["pending"] != 3 || r.Totals["waiting"] != 3 {
		t.Errorf("after the stop: %+v, %v", r.Daemon, r.Totals)
	}
	w.jobsStay.Store(false)
	r = w.runToEnd()
	w.checkSubmissions(6)
}

// TestStopWithoutGrace: uploads that do not end in time are broken off, which is
// an unknown outcome and costs a second upload, admitted to.
func TestStopWithoutGrace(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_SHUTDOWN_GRACE"] = "100ms"
	begun, release := w.slowUploads()
	w.drop("scan.pdf", pdf(invoice, "slow"))
	c := w.start("run")
	<-begun
	w.stop(c)
	release()
	if r, _ := w.report(); r.Totals["waiting"] != 1 {
		t.Errorf("after the stop: %v", r.Totals)
	}
	w.requestsMayRepeat = true
	if r := w.runToEnd(); r.Totals["filed"] != 1 || r.Requests.Submissions != 2 {
		t.Errorf("filed %d with %d submissions", r.Totals["filed"], r.Requests.Submissions)
	}
}

// TestStoppedWhileItStarts: a stop that comes while the record is opened, or at
// any other thing that is done before the first document, is in good order too.
func TestStoppedWhileItStarts(t *testing.T) {
	for n := int64(1); n <= 8; n++ {
		for _, args := range [][]string{{"run"}, {"run", "--once"}} {
			t.Run(fmt.Sprintf("%s/%d", strings.Join(args, " "), n), func(t *testing.T) {
				w := newWorld(t)
				w.drop("scan.pdf", pdf(invoice, "one"))
				ctx, stop := context.WithCancel(context.Background())
				defer stop()
				var asked atomic.Int64
				stops := func(string) error {
					if asked.Add(1) == n {
						stop()
					}
					return nil
				}
				var stdout, stderr bytes.Buffer
				code := run(ctx, program{args: append([]string{"--config", w.config()}, args...), environ: w.environ(),
					stdout: &stdout, stderr: &stderr, hooks: testHooks{store: stops}})
				want := exitDone
				if len(args) > 1 {
					want = exitLeft
				}
				if code != want || want == exitDone && strings.Contains(stderr.String(), "docusort: ") {
					t.Errorf("it ended with %d, not with %d, and said %s", code, want, &stderr)
				}
				w.runToEnd()
			})
		}
	}
}

// TestSecondDaemon: one database has one daemon, and the second one does no harm.
func TestSecondDaemon(t *testing.T) {
	w := newWorld(t)
	first := w.start("run")
	w.waitRunning(first)
	for _, args := range [][]string{{"run"}, {"run", "--once"}} {
		got := w.run(args...)
		if got.code != exitFailed || !strings.Contains(got.stderr, "already running") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v ended with %d and said %q", args, got.code, got.stderr)
		}
	}
	w.waitRunning(first)
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitState("filed", 1)
	w.stop(first)
	w.check()
}

// TestReload: SIGHUP looks at once at what is only looked at now and then.
func TestReload(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_WATCH"] = "poll"
	w.settings["DOCUSORT_RESCAN"] = "1h"
	c := w.start("run")
	w.waitRunning(c)
	w.waitFor("the first scan is over", func(*reportJSON) bool {
		return strings.Contains(c.stderr.String(), logStarted)
	})
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitFor("it is filed", func(r *reportJSON) bool {
		c.signal(syscall.SIGHUP)
		return r.Totals["filed"] == 1
	})
	w.stop(c)
	w.check()
}

// TestReloadEndsAPause: SIGHUP also sees at once whether trouble has passed.
func TestReloadEndsAPause(t *testing.T) {
	w := newWorld(t)
	w.requestsMayRepeat = true
	// It would wait for minutes by itself: nothing is expected to change before.
	w.api.SetAccount(docutraytest.AccountQuotaUsed, time.Now().Add(time.Hour))
	c := w.start("run")
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitHold("account")
	w.api.SetAccount(docutraytest.AccountGood, noTime)
	c.signal(syscall.SIGHUP)
	w.finish(c)
}
