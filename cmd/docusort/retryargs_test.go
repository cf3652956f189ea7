package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestRetryAsksTheOpenJob: a job that was given up before it ended is asked once
// more, and only where it has no answer yet is a new one paid for.
func TestRetryAsksTheOpenJob(t *testing.T) {
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
				t.Errorf("it is %+v after %d jobs; before the retry the job was asked for %d times", d, len(jobs), polls)
			}
		})
	}
}

// TestRetryOfWhat: what cannot be done is said for each, and done for the others.
func TestRetryOfWhat(t *testing.T) {
	w := newWorld(t)
	if got := w.run("retry", "--all"); got.code != exitFailed || !strings.Contains(got.stderr, "no database yet") || len(filesIn(t, w.home)) > 0 {
		t.Errorf("before anything it ended with %d, said %q and made %q", got.code, got.stderr, filesIn(t, w.home))
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
	if got.code != exitFailed || strings.Count(got.stdout, "\n") != 1 || !strings.Contains(got.stdout, "notes.txt") ||
		!strings.Contains(got.stderr, "document 1: good.pdf has not failed, it is filed") || !strings.Contains(got.stderr, "document 999: there is no such document") {
		t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
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

// TestRetryAllOfWhatGoesOn: what the daemon took up, or forgot, between the list of
// all that failed and its turn is no error.
func TestRetryAllOfWhatGoesOn(t *testing.T) {
	w := newWorld(t)
	w.drop("good.pdf", pdf(invoice, "good"))
	w.runToEnd()
	var out bytes.Buffer
	noErr(t, retrier{out: &out, store: w.openShared(), all: true}.retryAll(t.Context(), []int64{1, 999}))
	if out.String() != "1: skipped, it is no longer failed\n999: skipped, it is no longer failed\n" {
		t.Errorf("it wrote %q", out.String())
	}
}

// TestRetryOfAnotherUser: who may not is told who may, and nothing is changed.
func TestRetryOfAnotherUser(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	noErr(t, os.Chmod(w.dir, 0o755))
	w.failThree()
	c := w.startAsNobody("retry", "--all")
	c.waitExit(exitFailed, "as the user that docusort runs as")
	if r := w.check(); r.Totals["failed"] != 3 {
		t.Errorf("afterwards: %v", r.Totals)
	}
}
