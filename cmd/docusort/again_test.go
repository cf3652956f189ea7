package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// thinkingAgain is a world in which the service says something else of the wrong documents,
// once that is set.
func thinkingAgain(t *testing.T, o docutraytest.Options) (w *world, again *atomic.Bool) {
	again = new(atomic.Bool)
	hashes := map[string]bool{}
	for _, content := range wrong {
		hashes[hashOf(content)] = true
	}
	o.Identify = func(u docutraytest.Upload) (docutraytest.Result, bool) {
		right := docutraytest.TypeScore{Code: "contract", Confidence: 0.96, Name: "Contract"}
		return docutraytest.Result{Type: right, Alternatives: []docutraytest.TypeScore{right}}, again.Load() && hashes[u.SHA256]
	}
	w = newWorldWith(t, o)
	w.requestsMayRepeat = true // that is what is asked for
	return w, again
}

// askable returns the ids of the wrong documents that are filed or in review.
func askable(r reportJSON) (ids []string) {
	for _, d := range r.Documents {
		if wrong[d.Source] != nil && d.State != "failed" {
			ids = append(ids, fmt.Sprint(d.ID))
		}
	}
	return ids
}

// askAgain asks the service anew about them.
func (w *world) askAgain(r reportJSON, begins string) {
	w.t.Helper()
	w.run(append([]string{"retry", "--again"}, askable(r)...)...).check(w.t, exitDone, "asked anew "+begins+", which is paid for", "invoice/scan.pdf")
}

// checkAskedAnew: the documents have the new answer and its folder, each was paid for once
// more, and copies follow the new answer at no cost.
func (w *world) checkAskedAnew(r reportJSON) {
	w.t.Helper()
	r.checkTotals(w.t, totals{"filed": 3, "failed": 2})
	for _, d := range r.Documents {
		if (wrong[d.Source] != nil && d.State == "filed") && (*d.Type != "contract" || *d.DecidedBy != "service") {
			w.t.Errorf("asked anew it is %+v", d)
		}
	}
	uploads := w.api.Stats().Submissions
	w.drop("copies/scan.pdf", wrong["a/scan.pdf"])
	w.drop("copies/doubtful.pdf", wrong["doubtful.pdf"])
	r = w.runToEnd()
	r.checkTotals(w.t, totals{"filed": 5, "failed": 2})
	if n := w.api.Stats().Submissions; n != uploads {
		w.t.Errorf("the copies were submitted %d times", n-uploads)
	}
}

// TestRetryAgain: the service is asked anew, and the documents stay where they are until
// its answer is there, whether the daemon runs or not.
func TestRetryAgain(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("daemon running ", running), func(t *testing.T) {
			w, again := thinkingAgain(t, docutraytest.Options{})
			before := w.fileWrong()
			var c *child
			if running {
				w.jobsStay.Store(true)
				c = w.startDaemon()
			}
			again.Store(true)
			w.askAgain(before, map[bool]string{true: "within 1.0 s, or at a reload", false: "once docusort runs"}[running])
			if running {
				w.waitState("pending", 2)
			}
			r, _ := w.report()
			for i, d := range r.Documents {
				if was := before.Documents[i]; was.Path != nil && (d.Path == nil || *d.Path != *was.Path) {
					t.Errorf("before the answer is there %+v is %+v", was, d)
				}
			}
			w.jobsStay.Store(false)
			if c == nil {
				c = w.start("run")
			}
			r = w.finish(c)
			if r.Requests.Resubmissions != before.Requests.Resubmissions+2 {
				t.Errorf("%d resubmissions are reported", r.Requests.Resubmissions)
			}
			w.checkAskedAnew(r)
		})
	}
}

// TestRetryAgainSameAnswer: where the service says the same, or nothing, the document is
// what and where it was. A file of its old name in the inbox has nothing to do with it.
func TestRetryAgainSameAnswer(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprint("the job fails ", fails), func(t *testing.T) {
			w, _ := thinkingAgain(t, docutraytest.Options{})
			before := w.fileWrong()
			if fails {
				w.failingJobs.Store(hashOf(wrong["a/scan.pdf"]), true)
				w.failingJobs.Store(hashOf(wrong["doubtful.pdf"]), true)
			}
			w.askAgain(before, "once docusort runs")
			w.drop("a/scan.pdf", pdf(receipt, "another one of this name"))
			r := w.runToEnd()
			r.checkTotals(t, totals{"filed": 3, "review": 1, "failed": 2})
			for i, was := range before.Documents {
				d := r.Documents[i]
				if was.Path != nil && (*d.Path != *was.Path || d.State != was.State) {
					t.Errorf("%+v became %+v", was, d)
				}
				if asked := wrong[d.Source] != nil && d.State != "failed"; asked && fails != (d.Error != nil && strings.Contains(*d.Error, "asked anew")) {
					t.Errorf("the error of %+v", d)
				}
			}
		})
	}
}

// TestRetryAgainKilled: a daemon that is killed at any step goes on with the question; the
// document has one place at any time.
func TestRetryAgainKilled(t *testing.T) {
	for _, step := range daemonSteps {
		t.Run(string(step), func(t *testing.T) {
			w, again := thinkingAgain(t, docutraytest.Options{Latency: 30 * time.Millisecond})
			before := w.fileWrong()
			again.Store(true)
			w.askAgain(before, "once docusort runs")
			w.waitKilled(w.startInjected(injection{Step: step, N: 1}, "run"))
			w.checkAskedAnew(w.runToEnd())
		})
	}
}

func TestRetryAgainArguments(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	w.run("retry", "--again", "--all").check(t, exitUsage, "each is paid for")
	w.run("retry", "--again").check(t, exitUsage)
	w.run("retry", "--again", fmt.Sprint(w.failedDocument(before, "notes.txt").ID), "999").check(t, exitFailed, "notes.txt is failed", "no such document")
	w.run("retry", askable(before)[0]).check(t, exitFailed, "--again asks the service anew, which is paid for")
	w.check()
}

// TestRetryAgainMovedMeanwhile: what staff move while it waits to be asked about is decided
// by them; nothing is paid for. The inbox has nothing to do with it.
func TestRetryAgainMovedMeanwhile(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	uploads := w.api.Stats().Submissions
	var unsure reportDocument
	for _, d := range before.Documents {
		if d.State == "review" {
			unsure = d
		}
	}
	w.run("retry", "--again", fmt.Sprint(unsure.ID)).check(t, exitDone)
	w.run("relocate", "--yes").check(t, exitDone, ": doubtful.pdf: filed already, in sorted: _review/")
	place := filepath.Join(w.sorted, "contract", "doubtful.pdf")
	noErr(t, os.Rename(*unsure.Path, place))
	c := w.start("run")
	r := w.waitFor("it is followed", func(r *reportJSON) bool { return r.Totals["filed"] == 3 })
	w.stop(c)
	for _, d := range r.Documents {
		if d.ID == unsure.ID && (*d.Path != place || *d.DecidedBy != "person") {
			t.Errorf("it is %+v", d)
		}
	}
	if n := w.api.Stats().Submissions; n != uploads {
		t.Errorf("%d submissions were made", n-uploads)
	}
	w.checkReport(&r)
}
