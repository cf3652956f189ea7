package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"docusort/pipeline"
)

// TestRetryAsksTheOldJob: a job that was given up is polled once more, and a new one is
// paid for only where it has no answer yet.
func TestRetryAsksTheOldJob(t *testing.T) {
	for _, answered := range []bool{true, false} {
		t.Run(fmt.Sprint("answered ", answered), func(t *testing.T) {
			w := newWorld(t)
			w.requestsMayRepeat = true
			w.settings["DOCUSORT_MAX_ATTEMPTS"], w.settings["DOCUSORT_JOB_TIMEOUT"] = "1", "200ms"
			w.jobsStay.Store(true)
			content := pdf(invoice, "slow")
			w.mustFail[hashOf(content)] = true
			w.drop("slow.pdf", content)
			slow := w.failedDocument(w.runToEnd(), "slow.pdf")
			delete(w.mustFail, hashOf(content))
			polls := w.api.Uploads()[0].Polls
			w.run("retry", fmt.Sprint(slow.ID)).check(t, exitDone)
			delete(w.settings, "DOCUSORT_JOB_TIMEOUT")
			want := 1
			if answered {
				w.jobsStay.Store(false)
			} else {
				want = 2
				w.settings["DOCUSORT_JOB_TIMEOUT"] = "200ms"
				w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
					// The first job never ends.
					if !strings.HasSuffix(r.URL.Path, "/"+*slow.JobID) {
						return false
					}
					fmt.Fprintf(rw, `{"id":%q,"status":"PROCESSING"}`, *slow.JobID)
					return true
				})
			}
			r := w.runToEnd()
			d := r.Documents[0]
			if jobs := w.api.Uploads(); d.ID != slow.ID || d.State != "filed" || d.Attempts != want || len(jobs) != want || d.Polls <= slow.Polls {
				t.Errorf("it is %+v after %d jobs; before the retry the job was polled %d times", d, len(jobs), polls)
			}
		})
	}
}

// TestRetryArguments: what cannot be done for one document is reported, and done for the
// others.
func TestRetryArguments(t *testing.T) {
	w := newWorld(t)
	w.run("retry", "--all").check(t, exitFailed, "no database yet")
	if made := filesIn(t, w.home); len(made) > 0 {
		t.Errorf("it made %q", made)
	}
	w.drop("good.pdf", pdf(invoice, "good"))
	w.runToEnd()
	w.run("retry", "--all").check(t, exitDone, "nothing has failed")
	notes := w.failedDocument(w.failThree(), "notes.txt")
	for _, args := range [][]string{{}, {"1", "--all"}, {"one", "1"}, {"0"}, {"-1"}, {"99999999999999999999"}} {
		if got := w.run(append([]string{"retry"}, args...)...); got.code != exitUsage || got.stdout != "" || got.stderr == "" {
			t.Errorf("%q ended with %d, wrote %q and said %q", args, got.code, got.stdout, got.stderr)
		}
	}
	got := w.run("retry", "1", fmt.Sprint(notes.ID), "999", fmt.Sprint(notes.ID))
	got.check(t, exitFailed, "notes.txt", "document 1: good.pdf has not failed, it is filed", "document 999: there is no such document")
	if strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("it wrote %q", got.stdout)
	}
	delete(w.settings, "DOCUTRAY_API_KEY")
	delete(w.settings, "DOCUSORT_DOCUMENT_TYPES")
	if got := w.run("__complete", "retry", "1", ""); got.code != exitDone || !strings.Contains(got.stdout, "\tempty.pdf\n") ||
		!strings.Contains(got.stdout, "\ta/scan.pdf\n") || strings.Contains(got.stdout, "notes") || strings.Contains(got.stdout, "good") {
		t.Errorf("the shell is offered %q", got.stdout)
	}
	if got := w.run("retry", "--all"); got.code != exitDone || strings.Count(got.stdout, "\n") != 2 {
		t.Errorf("without key and types it ended with %d and wrote %q, %q", got.code, got.stdout, got.stderr)
	}
}

// TestRetryAllNoLongerFailed: a document that has not failed any more when its turn comes
// is no error.
func TestRetryAllNoLongerFailed(t *testing.T) {
	w := newWorld(t)
	w.drop("good.pdf", pdf(invoice, "good"))
	w.runToEnd()
	var out bytes.Buffer
	noErr(t, retrier{out: &out, Requeuer: pipeline.Requeuer{Store: w.openShared()}, all: true}.retryAll(t.Context(), []int64{1, 999}))
	if out.String() != "1: skipped, it is no longer failed\n999: skipped, it is no longer failed\n" {
		t.Errorf("it wrote %q", out.String())
	}
}

// TestRetryOfAnotherUser: a user who may not is told who may, and nothing is changed.
func TestRetryOfAnotherUser(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.failThree()
	w.startAsNobody("retry", "--all").waitExit(exitFailed, "as the user that docusort runs as")
	r := w.check()
	r.checkTotals(t, totals{"failed": 3})
}
