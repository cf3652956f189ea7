package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"
)

var illegible = pdf(contract, "illegible for now")

// failThree has three documents fail: one whose jobs fail, one of no format, and an
// empty one.
func (w *world) failThree() reportJSON {
	w.t.Helper()
	w.requestsMayRepeat = true // a retry may be a submission again
	w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
	w.dropFailing("a/scan.pdf", illegible)
	w.drop("notes.txt", noDocument("one"))
	w.drop("empty.pdf", nil)
	w.mustFail[""] = true // it is never read, so the report has no hash
	r := w.runToEnd()
	if r.Totals["failed"] != 3 {
		w.t.Fatalf("%d failed, not 3", r.Totals["failed"])
	}
	return r
}

// makeLegible lets the jobs of the illegible document succeed from now on.
func (w *world) makeLegible() {
	w.failingJobs.Delete(hashOf(illegible))
	delete(w.mustFail, hashOf(illegible))
}

// finishRetry lets the running daemon, or another one where it is nil, try again what
// was put back, and checks that each document continues its record.
func (w *world) finishRetry(daemon *child, before reportJSON) {
	w.t.Helper()
	if daemon == nil {
		w.checkRetried(before, w.runToEnd())
		return
	}
	w.waitFor("all were tried again", func(r *reportJSON) bool {
		return r.Totals["filed"] == 1 && r.Totals["failed"] == 2 && r.unfinished() == 0 && len(filesIn(w.t, w.inbox)) == 0
	})
	w.stop(daemon)
	w.checkRetried(before, w.check())
}

func (w *world) failedDocument(r reportJSON, source string) reportDocument {
	w.t.Helper()
	for _, d := range r.Documents {
		if d.Source == source && d.State == "failed" {
			return d
		}
	}
	w.t.Fatalf("%q did not fail: %+v", source, r.Documents)
	return reportDocument{}
}

// checkRetried: the legible one was filed, the others failed again, each under its record.
func (w *world) checkRetried(before, r reportJSON) {
	w.t.Helper()
	r.checkTotals(w.t, totals{"filed": 1, "failed": 2})
	for i, d := range r.Documents {
		if was := before.Documents[i]; d.ID != was.ID || d.hash() != was.hash() {
			w.t.Errorf("%+v goes on as %+v", was, d)
		} else if d.State == "filed" && (d.Attempts != was.Attempts+1 || *d.Type != "contract") {
			w.t.Errorf("filed after a retry: %+v", d)
		}
	}
}

// TestRetry puts back everything that failed, whether the daemon runs or not.
func TestRetry(t *testing.T) {
	for _, daemon := range []string{"running", "stopped", "killed"} {
		for _, place := range movings {
			t.Run(daemon+"/"+place.name, func(t *testing.T) {
				w := newWorld(t)
				w.moveFar(place.far)
				before := w.failThree()
				w.makeLegible()
				c := w.startIf(daemon != "stopped")
				if daemon == "killed" {
					w.kill(c)
					c = nil
				}
				got := w.run("retry", "--all")
				if got.code != exitDone || strings.Count(got.stdout, "\n") != 3 || !strings.Contains(got.stdout, "a/scan.pdf") || got.stderr != "" {
					t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
				}
				if c == nil {
					r, _ := w.report()
					r.checkTotals(t, totals{"waiting": 3})
					if len(filesIn(t, w.inbox)) != 3 || len(filesIn(t, w.sorted)) != 0 {
						t.Errorf("before the daemon runs sorted has %q", filesIn(t, w.sorted))
					}
				}
				w.finishRetry(c, before)
			})
		}
	}
}

// TestRetryKilled: after a retry that was killed, the daemon or the next retry continues;
// every document exists once and has one record.
func TestRetryKilled(t *testing.T) {
	var injections []injection
	for _, step := range retrySteps {
		injections = append(injections, injection{Step: step, N: 1})
	}
	for n := int64(1); n <= 16; n += 3 {
		injections = append(injections, injection{FileOp: true, N: n})
	}
	for _, place := range movings {
		for i, d := range injections {
			t.Run(fmt.Sprintf("%s/%s", place.name, d), func(t *testing.T) {
				w := newWorld(t)
				w.moveFar(place.far)
				before := w.failThree()
				w.makeLegible()
				daemon := w.startIf(i%2 == 0)
				c := w.startInjected(d, "retry", "--all")
				if code := c.wait(); code == killed && daemon == nil {
					w.checkNames()
				} else if code != killed && code != exitDone {
					t.Fatalf("it ended with %d", code)
				}
				w.run("retry", "--all").check(t, exitDone)
				w.finishRetry(daemon, before)
			})
		}
	}
}

// TestRetryPlaces: a file in the old place stays, a missing folder is made again, and a
// document that is no longer in _failed is skipped.
func TestRetryPlaces(t *testing.T) {
	w := newWorld(t)
	before := w.failThree()
	scan, notes, empty := w.failedDocument(before, "a/scan.pdf"), w.failedDocument(before, "notes.txt"), w.failedDocument(before, "empty.pdf")
	noErr(t, os.RemoveAll(filepath.Join(w.inbox, "a")))
	w.drop("notes.txt", pdf(invoice, "of the same name"))
	noErr(t, os.Rename(*empty.Path, filepath.Join(w.dir, "kept.pdf")))
	w.run("retry", "--all").check(t, exitDone, fmt.Sprintf("%d: back in the inbox as a/scan.pdf\n", scan.ID), fmt.Sprintf("%d: back in the inbox as notes-2.txt\n", notes.ID), fmt.Sprintf("%d: skipped, it is no longer at %s\n", empty.ID, *empty.Path))
	w.run("retry", fmt.Sprint(notes.ID)).check(t, exitFailed, "waiting")
	noErr(t, os.Rename(filepath.Join(w.dir, "kept.pdf"), filepath.Join(w.inbox, "another name.pdf")))
	r := w.runToEnd()
	if d := w.failedDocument(r, "notes-2.txt"); d.ID != notes.ID {
		t.Errorf("%+v goes on as %+v", notes, d)
	}
	if d := w.failedDocument(r, "another name.pdf"); d.ID != empty.ID {
		t.Errorf("%+v goes on as %+v", empty, d)
	}
}

// TestRetryChanged: a failed document that was changed where it lay is a new document.
func TestRetryChanged(t *testing.T) {
	w := newWorld(t)
	scan := w.failedDocument(w.failThree(), "a/scan.pdf")
	repaired := pdf(contract, "repaired")
	noErr(t, os.WriteFile(*scan.Path, repaired, 0o640))
	w.recordAgain(scan.hash(), *scan.Path)
	w.makeLegible()
	w.run("retry", fmt.Sprint(scan.ID)).check(t, exitDone, "new document")
	w.dropped[scan.hash()] = []stamp{} // it was uploaded once, and is gone
	r := w.runToEnd()
	for _, d := range r.Documents {
		if d.ID == scan.ID && d.State != "gone" || d.hash() == hashOf(repaired) && d.State != "filed" {
			t.Errorf("it is %+v", d)
		}
	}
}

// TestMovedBackByHand: a failed document that is moved into the inbox by hand continues
// its record, whether the daemon runs or not.
func TestMovedBackByHand(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("daemon running ", running), func(t *testing.T) {
			w := newWorld(t)
			before := w.failThree()
			w.makeLegible()
			c := w.startIf(running)
			for i := range before.Documents {
				d := &before.Documents[i]
				to := filepath.Join(w.inbox, "by hand", filepath.Base(*d.Path))
				if d.Source == "a/scan.pdf" {
					to = filepath.Join(w.inbox, "anything.pdf")
				}
				noErr(t, os.MkdirAll(filepath.Dir(to), 0o755))
				noErr(t, os.Rename(*d.Path, to))
			}
			w.finishRetry(c, before)
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
	noErr(t, program{stdout: &out}.retryEach(t.Context(), &settings.Settings{}, pipeline.Requeuer{Store: w.openShared()}, []int64{1, 999}, true))
	if out.String() != "1: skipped, it changed meanwhile\n999: skipped, it changed meanwhile\n" {
		t.Errorf("it wrote %q", out.String())
	}
}

// TestRetryOfRoot: root puts back with the rights of the owner of the database, and so
// opens and moves nothing that the owner could not.
func TestRetryOfRoot(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.failThree()
	w.giveToNobody()
	noErr(t, os.Chown(w.inbox, 0, 0))
	noErr(t, os.Chmod(w.inbox, 0o700))
	w.start("retry", "--all").waitExit(exitFailed, "as the user that docusort runs as")
	noErr(t, os.Chmod(w.inbox, 0o777))
	w.start("retry", "--all").waitExit(exitDone)
	info, err := os.Stat(w.database(""))
	noErr(t, err)
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != nobody {
		t.Errorf("the database is that of user %d", uid)
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
