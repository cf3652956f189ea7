package main

import (
	"os"
	"path/filepath"
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
