package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wrong are the documents that a person puts right, by their names, and what each is.
var wrong = map[string][]byte{
	"a/scan.pdf":   pdf(invoice, "put right"),
	"doubtful.pdf": pdf(doubtful, "put right"),
	"notes.txt":    noDocument("put right"),
	"scan.pdf":     pdf(contract, "that no job can identify"),
}

// fileWrong has documents filed under a wrong type, sent to review, and failed.
func (w *world) fileWrong() reportJSON {
	w.t.Helper()
	w.useEveryWay()
	w.drop("b/right.pdf", pdf(contract, "right"))
	for name, content := range wrong {
		if name == "scan.pdf" {
			w.dropFailing(name, content)
		} else {
			w.drop(name, content)
		}
	}
	r := w.runToEnd()
	r.checkTotals(w.t, totals{"filed": 2, "review": 1, "failed": 2})
	return r
}

// wrongIDs returns the ids of these documents.
func wrongIDs(r reportJSON) (ids []string) {
	for _, d := range r.Documents {
		if wrong[d.Source] != nil {
			ids = append(ids, fmt.Sprint(d.ID))
		}
	}
	return ids
}

// refileWrong is the command that files them under another type.
func refileWrong(r reportJSON) []string {
	return slices.Concat([]string{"refile"}, wrongIDs(r), []string{"contract"})
}

// decide notes that a person decided the type of the wrong documents.
func (w *world) decide(kind string) {
	for _, content := range wrong {
		w.decided[hashOf(content)] = kind
		delete(w.mustFail, hashOf(content))
	}
}

// dropCopies drops the wrong documents once more, runs a daemon, and checks that they
// follow the decision at no cost.
func (w *world) dropCopies() {
	w.t.Helper()
	before, uploads := w.check(), w.api.Stats().Submissions
	for name, content := range wrong {
		w.drop("copies/"+name, content)
		delete(w.mustFail, hashOf(content))
	}
	r := w.runToEnd()
	r.checkTotals(w.t, totals{"filed": before.Totals["filed"] + len(wrong)})
	if n := w.api.Stats().Submissions; n != uploads {
		w.t.Errorf("the copies were submitted %d times", n-uploads)
	}
}

// TestRefile: documents in every state that a person finds them in go to the folder of the
// type that the person names, and copies follow them, whether the daemon runs or not.
func TestRefile(t *testing.T) {
	for _, running := range []bool{true, false} {
		for _, place := range movings {
			t.Run(fmt.Sprintf("daemon running %v/%s", running, place.name), func(t *testing.T) {
				w := newWorld(t)
				w.moveFar(place.far)
				before := w.fileWrong()
				c := w.startIf(running)
				got := w.run(refileWrong(before)...)
				got.check(t, exitDone, "filed under contract: contract/scan.pdf\n", "contract/scan-2.pdf\n", "contract/notes.txt\n")
				if strings.Count(got.stdout, "\n") != len(wrong) || got.stderr != "" {
					t.Errorf("it wrote %q and said %q", got.stdout, got.stderr)
				}
				w.decide("contract")
				if running {
					w.stop(c)
				}
				r := w.check()
				r.checkTotals(t, totals{"filed": 5})
				w.dropCopies()
			})
		}
	}
}

// TestRefileKilled: after a refile that was killed, the daemon or the next refile finishes
// it.
func TestRefileKilled(t *testing.T) {
	var injections []injection
	for _, step := range refileSteps {
		injections = append(injections, injection{Step: step, N: 1}, injection{Step: step, N: 3})
	}
	for n := int64(1); n <= 25; n += 3 {
		injections = append(injections, injection{FileOp: true, N: n})
	}
	for _, place := range movings {
		for i, d := range injections {
			t.Run(fmt.Sprintf("%s/%s", place.name, d), func(t *testing.T) {
				w := newWorld(t)
				w.moveFar(place.far)
				args := refileWrong(w.fileWrong())
				daemon := w.startIf(i%2 == 0)
				c := w.startInjected(d, args...)
				if code := c.wait(); code == killed && daemon == nil {
					w.checkKilled()
				} else if code != killed && code != exitDone {
					t.Fatalf("it ended with %d", code)
				}
				if daemon == nil {
					w.start("run", "--once").waitExit(exitDone) // finishes what was begun
					r, _ := w.report()
					w.checkReport(&r)
				}
				w.run(args...).check(t, exitDone)
				w.decide("contract")
				if daemon != nil {
					w.stop(daemon)
				}
				r := w.check()
				r.checkTotals(t, totals{"filed": 5})
				w.dropCopies()
			})
		}
	}
}

// TestRefileFault: an operation on the disk that fails leaves each document in one place that
// the report knows, and the next refile does the rest.
func TestRefileFault(t *testing.T) {
	for _, place := range movings {
		for n := int64(1); n <= 25; n += 2 {
			t.Run(fmt.Sprintf("%s/%d", place.name, n), func(t *testing.T) {
				w := newWorld(t)
				w.moveFar(place.far)
				args := refileWrong(w.fileWrong())
				c := w.startInjected(injection{Fault: fault{Op: "file", N: n, Errno: syscall.EIO}}, args...)
				if code := c.wait(); code != exitFailed && code != exitDone {
					t.Fatalf("it ended with %d", code)
				}
				w.run(args...).check(t, exitDone)
				w.decide("contract")
				r := w.check()
				r.checkTotals(t, totals{"filed": 5})
			})
		}
	}
}

// TestRefilePlaces: what is there is not overwritten, a document that has its place already
// keeps it, one whose file was changed is filed as it is, and DOCUSORT_FOLDERS counts.
func TestRefilePlaces(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	w.settings["DOCUSORT_FOLDERS"] = "{year}/{type}"
	year := fmt.Sprint(time.Now().Year())
	taken := filepath.Join(w.sorted, year, "contract")
	noErr(t, os.MkdirAll(taken, 0o755))
	noErr(t, os.WriteFile(filepath.Join(taken, "notes.txt"), []byte("mine"), 0o640))
	notes := w.failedDocument(before, "notes.txt")
	id := fmt.Sprint(notes.ID)
	w.run("refile", id, "contract").check(t, exitDone, id+": filed under contract: "+year+"/contract/notes-2.txt\n")
	now := filepath.Join(taken, "notes-2.txt")
	changed := noDocument("changed by hand")
	noErr(t, os.WriteFile(now, changed, 0o640))
	w.run("refile", id, "contract").check(t, exitDone, year+"/contract/notes-2.txt\n")
	noErr(t, os.Remove(filepath.Join(taken, "notes.txt")))
	w.recordAgain(notes.hash(), now)
	delete(w.mustFail, hashOf(changed))
	r := w.checkDisk()
	r.checkTotals(t, totals{"filed": 3, "review": 1, "failed": 1, "gone": 1})
	noErr(t, os.Remove(now))
	w.run("refile", id, "invoice").check(t, exitDone, "skipped, it is no longer at "+now)
}

// TestRefileArguments: a type that there is not is refused with those that there are; what
// cannot be done for one document is reported, and done for the others.
func TestRefileArguments(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	noErr(t, os.MkdirAll(filepath.Join(w.sorted, "by hand"), 0o755))
	for _, args := range [][]string{{}, {"1"}, {"invoice"}, {"0", "invoice"}, {"x", "--as-identified"}, {"1", "2"}, {"1", "_review"}, {"1", "nonsense"}} {
		got := w.run(append([]string{"refile"}, args...)...)
		if got.code != exitUsage || got.stdout != "" || got.stderr == "" {
			t.Errorf("%q ended with %d, wrote %q and said %q", args, got.code, got.stdout, got.stderr)
		}
	}
	w.run("refile", "1", "nonsense").check(t, exitUsage, "choose from invoice, receipt, contract, by hand")
	w.run("refile", "1", "").check(t, exitUsage, "choose from invoice, receipt, contract, by hand")
	var unsure string
	for _, d := range before.Documents {
		if d.State == "review" {
			unsure = fmt.Sprint(d.ID)
		}
	}
	notes := fmt.Sprint(w.failedDocument(before, "notes.txt").ID)
	got := w.run("refile", notes, unsure, "999", "--as-identified")
	got.check(t, exitFailed, unsure+": filed under ", "document 999: there is no such document", "document "+notes+": the service named no type")
	r, _ := w.report()
	r.checkTotals(t, totals{"filed": 3, "failed": 2})
	for _, d := range r.Documents {
		if fmt.Sprint(d.ID) == unsure && (*d.DecidedBy != "person" || d.Confidence == nil) {
			t.Errorf("as identified it is %+v", d)
		}
	}
	w.checkReport(&r)
	w.run("refile", unsure, "contract").check(t, exitDone, "filed under contract")
	w.run("refile", unsure, "--as-identified").check(t, exitDone, "filed under ") // that was a mistake
	again, _ := w.report()
	for i, d := range again.Documents {
		if was := r.Documents[i]; fmt.Sprint(d.ID) == unsure && (*d.Type != *was.Type || *d.Path != *was.Path || d.Confidence == nil || *d.Confidence != *was.Confidence) {
			t.Errorf("as identified once more it is %+v", d)
		}
	}
	delete(w.settings, "DOCUTRAY_API_KEY")
	if got := w.run("__complete", "refile", ""); !strings.Contains(got.stdout, notes+"\tnotes.txt\n") || strings.Contains(got.stdout, "invoice") {
		t.Errorf("the shell is offered %q", got.stdout)
	}
	if got := w.run("__complete", "refile", notes, ""); strings.Contains(got.stdout, "notes.txt") || !strings.HasPrefix(got.stdout, "invoice\nreceipt\ncontract\nby hand\n") {
		t.Errorf("after an ID the shell is offered %q", got.stdout)
	}
	delete(w.settings, "DOCUSORT_DOCUMENT_TYPES")
	w.run("refile", notes, "by hand").check(t, exitDone, "by hand/notes.txt\n")
}
