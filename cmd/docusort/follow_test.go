package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// moveByHand moves a document, where it is not filed, as staff do in the share: to a name
// in a folder of a type.
func (w *world) moveByHand(r reportJSON, to func(d reportDocument) string) {
	w.t.Helper()
	for _, d := range r.Documents {
		if d.State != "filed" {
			place := filepath.Join(w.sorted, to(d))
			noErr(w.t, os.MkdirAll(filepath.Dir(place), 0o755))
			noErr(w.t, os.Rename(*d.Path, place))
		}
	}
}

// underItsName is where staff put everything that is a contract.
func underItsName(d reportDocument) string { return "contract/" + filepath.Base(*d.Path) }

// setRight notes that the documents that were not filed are contracts.
func (w *world) setRight() {
	w.decide("contract")
	delete(w.decided, hashOf(wrong["a/scan.pdf"])) // it stays as it was filed
}

// waitFollowed waits until nothing is in review or failed.
func (w *world) waitFollowed() reportJSON {
	w.t.Helper()
	return w.waitFor("what was moved is followed", func(r *reportJSON) bool { return r.Totals["review"]+r.Totals["failed"] == 0 })
}

// TestMovedByHand: what staff move out of _review and _failed is filed under the type of
// the folder that they move it to, and copies follow, whether the daemon runs or not, and
// whatever they call it.
func TestMovedByHand(t *testing.T) {
	names := map[string]func(reportDocument) string{
		"same name": underItsName,
		"renamed":   func(d reportDocument) string { return fmt.Sprintf("contract/2026/Müller %d.pdf", d.ID) },
		"with its sidecar": func(d reportDocument) string {
			sidecar := ".json"
			if d.State == "failed" {
				sidecar = ".error.json"
			}
			to := filepath.Join(filepath.Dir(filepath.Dir(strings.Replace(*d.Path, "_review/", "", 1))), underItsName(d))
			_ = os.MkdirAll(filepath.Dir(to), 0o755)
			_ = os.Rename(*d.Path+sidecar, to+sidecar)
			return underItsName(d)
		},
	}
	for name, to := range names {
		for _, running := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/daemon running %v", name, running), func(t *testing.T) {
				w := newWorld(t)
				before := w.fileWrong()
				c := w.startIf(running)
				w.moveByHand(before, to)
				if c == nil {
					c = w.start("run")
				}
				w.waitFollowed()
				w.stop(c)
				w.setRight()
				r := w.checkDisk()
				r.checkTotals(t, totals{"filed": 5})
				if name != "renamed" {
					w.check()
					w.dropCopies()
				}
			})
		}
	}
}

// TestMovedByHandKilled: a daemon that is killed while it follows is followed by one that
// finishes.
func TestMovedByHandKilled(t *testing.T) {
	for _, step := range refileSteps {
		if step == stepRefiled {
			continue // staff did that
		}
		for _, n := range []int64{1, 2} {
			t.Run(fmt.Sprintf("%s/%d", step, n), func(t *testing.T) {
				w := newWorld(t)
				w.moveByHand(w.fileWrong(), underItsName)
				w.waitKilled(w.startInjected(injection{Step: step, N: n}, "run"))
				c := w.start("run")
				w.waitFollowed()
				w.stop(c)
				w.setRight()
				w.check()
				w.dropCopies()
			})
		}
	}
}

// TestTakenOutOfSorted: what staff take out of sorted is gone, with its sidecar; what they
// only copied is where it was.
func TestTakenOutOfSorted(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	away := filepath.Join(w.dir, "user")
	var copied string
	for _, d := range before.Documents {
		switch {
		case d.State == "review":
			copied = filepath.Join(w.sorted, "contract", "a copy.pdf")
			content, err := os.ReadFile(*d.Path)
			noErr(t, err)
			noErr(t, os.WriteFile(copied, content, 0o640))
		case d.State == "failed":
			noErr(t, os.Rename(*d.Path, filepath.Join(away, fmt.Sprint(d.ID))))
			w.dropped[d.hash()] = []stamp{} // it was uploaded, and is gone
			delete(w.mustFail, d.hash())
		}
	}
	c := w.start("run")
	w.waitFor("they are gone", func(r *reportJSON) bool { return r.Totals["gone"] == 2 })
	w.stop(c)
	noErr(t, os.Remove(copied))
	noErr(t, os.RemoveAll(away))
	r := w.check()
	r.checkTotals(t, totals{"filed": 2, "review": 1, "gone": 2})
}

// TestSortedAway: nothing is concluded while sorted is not what it was: another folder at
// its path, as where a disk is not mounted, even one that has _review and _failed.
func TestSortedAway(t *testing.T) {
	w := newWorld(t)
	before := w.fileWrong()
	away := w.sorted + " away"
	noErr(t, os.Rename(w.sorted, away))
	w.sortedElsewhere()
	delete(w.settings, "DOCUSORT_SORTED")
	elsewhere := w.sorted
	w.sorted = filepath.Join(w.home, "sorted")
	for _, dir := range []string{"_review", "_failed"} {
		noErr(t, os.MkdirAll(filepath.Join(elsewhere, dir), 0o755))
	}
	noErr(t, os.Symlink(elsewhere, w.sorted))
	c := w.startDaemon()
	for i := range 5 { // each takes longer than a conclusion
		c.signal(syscall.SIGHUP)
		w.drop(fmt.Sprint(i, ".pdf"), pdf(receipt, fmt.Sprint("else ", i)))
		w.waitState("filed", 3+i)
	}
	w.stop(c)
	r, _ := w.report()
	r.checkTotals(t, totals{"filed": 7, "review": 1, "failed": 2})
	noErr(t, os.Remove(w.sorted))
	noErr(t, os.Rename(away, w.sorted))
	w.moveByHand(before, underItsName)
	c = w.start("run")
	w.waitFollowed()
	w.stop(c)
}
