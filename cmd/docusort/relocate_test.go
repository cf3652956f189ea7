package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// relocate goes on with an inbox that was moved: it says what became of each document,
// changes nothing without a yes, and what is paid for is not paid for again.
func TestRelocate(t *testing.T) {
	w := newWorld(t)
	w.killWithPending()
	noErr(t, os.Mkdir(filepath.Join(w.dir, "moved"), 0o755))
	for _, i := range []string{"0", "1", "2"} {
		noErr(t, os.Rename(filepath.Join(w.inbox, i+".pdf"), filepath.Join(w.dir, "moved", i+".pdf")))
	}
	noErr(t, os.MkdirAll(filepath.Join(w.sorted, "invoice"), 0o750))
	noErr(t, os.Rename(filepath.Join(w.inbox, "3.pdf"), filepath.Join(w.sorted, "invoice", "3.pdf")))
	noErr(t, os.Remove(filepath.Join(w.inbox, "4.pdf")))
	w.inbox = filepath.Join(w.dir, "moved")
	w.settings["DOCUSORT_INBOX"] = w.inbox
	w.run("relocate").check(t, exitFailed, ": 3.pdf: filed already, in sorted: invoice/3.pdf\n", ": 4.pdf: gone, in neither folder\n",
		"5 unfinished: 3 in the inbox, 1 filed already, 1 gone, 0 left as they are\n", "nothing was changed")
	noErr(t, os.Rename(w.inbox, w.inbox+".away"))
	w.run("relocate", "--yes").check(t, exitFailed, "nothing was changed: the inbox is missing; is it mounted?")
	noErr(t, os.Rename(w.inbox+".away", w.inbox))
	w.waitState("pending", 5)
	w.run("relocate", "--yes").check(t, exitDone, ": 0.pdf: in the inbox\n")
	w.run("relocate", "--yes").check(t, exitDone, "3 unfinished: 3 in the inbox, 0 filed already")
	w.waitState("pending", 3)
	c := w.start("run")
	w.waitAllDone()
	w.stop(c)
	r, _ := w.report()
	r.checkTotals(t, totals{"filed": 4, "gone": 1})
	w.checkSubmissions(5)
}

// relocate goes on with a sorted folder that was moved: what needs a document's file says
// so, and after it everything is as if the folder had always been there.
func TestRelocateSorted(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	old := w.sorted
	w.sorted = filepath.Join(w.dir, "moved")
	w.settings["DOCUSORT_SORTED"] = w.sorted
	noErr(t, os.Rename(old, w.sorted))
	failed, again := fmt.Sprint(w.failedDocument(before, "notes.txt").ID), askable(before)[0]
	hint := "; if that sorted folder was moved to " + w.sorted + ", run 'docusort --config " + w.config() + " relocate'"
	for _, args := range [][]string{{"refile", again, "contract"}, {"retry", failed}, {"retry", "--again", again}} {
		w.run(args...).check(t, exitFailed, hint)
	}
	noErr(t, os.Mkdir(old, 0o755))
	w.run("retry", failed).check(t, exitDone, failed+": skipped, it is no longer at "+old+"/_failed/notes.txt"+hint)
	noErr(t, os.Remove(old))
	w.run("report", "--documents").check(t, exitDone, "relocate.\n")
	said := "5 recorded in " + old + ": 5 moved to " + w.sorted + ", 0 still there, 0 in neither, 0 left as they are\n"
	w.run("relocate").check(t, exitFailed, said, "Are they in "+w.inbox+" and "+w.sorted+" from now on?", "nothing was changed")
	if r, _ := w.report(); *r.Documents[0].Path != *before.Documents[0].Path {
		t.Errorf("without a yes %+v became %+v", before.Documents[0], r.Documents[0])
	}
	w.run("relocate", "--yes").check(t, exitDone, said, "5 are recorded in "+w.sorted+" now\n")
	if got := w.run("relocate", "--yes"); got.code != exitDone || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("once more it ended with %d and wrote %q", got.code, got.stdout)
	}
	w.check()
	w.run(append(append([]string{"refile"}, wrongIDs(before)...), "contract")...).check(t, exitDone)
	w.decide("contract")
	w.dropCopies()
}

// A decision that was killed is carried out once its document's folder is known.
func TestRelocateSortedAfterAKill(t *testing.T) {
	for _, step := range refileSteps {
		t.Run(string(step), func(t *testing.T) {
			w := newWorld(t)
			args := append(append([]string{"refile"}, wrongIDs(w.fileWrong())...), "contract")
			w.waitKilled(w.startInjected(injection{Step: step, N: 2}, args...))
			old := w.sorted
			w.sorted = filepath.Join(w.dir, "moved")
			w.settings["DOCUSORT_SORTED"] = w.sorted
			noErr(t, os.Rename(old, w.sorted))
			noErr(t, os.Mkdir(old, 0o755)) // as of a disk that is not mounted there any more
			w.run("relocate", "--yes").check(t, exitDone, "5 are recorded in "+w.sorted+" now\n")
			w.run(args...).check(t, exitDone)
			w.decide("contract")
			noErr(t, os.Remove(old))
			r := w.check()
			r.checkTotals(t, totals{"filed": 5})
		})
	}
}

// A database that was restored from an old backup: nothing is lost or overwritten, and
// what was filed since is found where its record is known, and paid for once.
func TestOldBackup(t *testing.T) {
	w := newWorld(t)
	w.killWithPending()
	backup := w.readDatabase()
	w.runToEnd()
	w.dropMany(3, "later %d.pdf")
	w.runToEnd()
	before := w.api.Stats().Submissions
	for name := range w.readDatabase() {
		noErr(t, os.Remove(filepath.Join(w.home, name)))
	}
	for name, content := range backup {
		noErr(t, os.WriteFile(filepath.Join(w.home, name), content, 0o640))
	}
	w.drop("0.pdf", pdf(contract, "a name that is taken"))
	c := w.start("run")
	w.waitAllDone()
	w.stop(c)
	w.checkNames()
	r, _ := w.report()
	r.checkTotals(t, totals{"filed": 6})
	if n := len(filesIn(t, w.sorted)); n != 9 || w.api.Stats().Submissions != before+1 {
		t.Errorf("%d files, %d submissions, %d before", n, w.api.Stats().Submissions, before)
	}
}
