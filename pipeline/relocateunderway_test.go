package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// A decision that was killed anywhere is carried out where its document is then, also
// where its document was on the way to another sorted folder.
func TestRelocateSortedWithADecisionUnderWay(t *testing.T) {
	each(t, []string{"moved", "between"}, func(t *testing.T, to string) {
		for n, ended := 1, true; ended; n++ {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.inReview(map[string]string{"scan.pdf": pdf("scan")})
				must(t, r.halt())
				must(t, os.WriteFile(filepath.Join(r.sorted, "_review/receipt/scan.pdf"), []byte(pdf("changed by a person")), 0o640))
				old := r.sorted
				if to == "between" {
					r.sorted, r.cfg.Sorted = filepath.Join(filepath.Dir(r.inbox), to), filepath.Join(filepath.Dir(r.inbox), to)
					must(t, os.Mkdir(r.sorted, 0o755))
				}
				ended = struckAt(n, func(count func()) {
					refiler := New(r.cfg).refiler()
					refiler.OnStep = func(Step) { count() }
					refiler.Mover = filing.NewMover(filing.Options{Fault: func(string, bool) error { count(); return nil }})
					_, err := refiler.Refile(bg, r.doc("scan.pdf"), "contract")
					must(t, err)
				})
				begun, err := r.store.Decisions(bg)
				must(t, err)
				now := r.docs()[0]
				r.sorted = old
				r.moveSorted(to)
				r.relocate()
				d := r.docs()[0]
				if len(begun) == 0 && now.State == store.Review {
					return // it is another file by now, and nobody said anything of it
				}
				same(t, fmt.Sprint("sorted, interrupted at ", n), d.Sorted, r.sorted)
				same(t, "type", d.Type, "contract")
				left := tree(t, r.sorted)
				same(t, "content", left[d.Target], pdf("changed by a person"))
				same(t, fmt.Sprint("files, interrupted at ", n), len(left), 1)
			}, uncertain)
		}
	})
}

// A document that was being put back when the command was killed goes on from where its
// file is then.
func TestRelocateSortedWithAPutBackUnderWay(t *testing.T) {
	for n, ended := 1, true; ended; n++ {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.write("a/notes.txt", "notes", "")
			r.runOver()
			ended = r.putBackUntil(r.docs()[0].ID, n)
			r.moveSorted("moved")
			r.relocate()
			if d := r.docs()[0]; d.State == store.Failed {
				same(t, fmt.Sprint("sorted, interrupted at ", n), d.Sorted, r.sorted)
				_, _, err := Requeuer{Store: r.store, Mover: r.cfg.Mover, Inbox: r.inbox}.PutBack(bg, d)
				must(t, err)
			}
			r.runOver()
			same(t, fmt.Sprint("documents, interrupted at ", n), len(r.docs()), 1)
			same(t, "state", r.docs()[0].State, store.Failed)
			left := tree(t, r.sorted)
			same(t, fmt.Sprint("sorted, interrupted at ", n), len(left), 2)
			same(t, "content", left["_failed/notes.txt"], "notes")
		})
	}
}

// A document that was being moved when the daemon was killed goes on from where its file is
// then, its sidecar not forgotten.
func TestRelocateSortedWithAMoveUnderWay(t *testing.T) {
	each(t, []string{"in the inbox", "at the target"}, func(t *testing.T, where string) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.cfg.Sidecar = true
			r.identified(1, "scan.pdf", pdf("scan"), "invoice")
			r.targeted(1, r.sorted, "invoice/scan.pdf")
			if where == "at the target" {
				r.filedBefore("scan.pdf", "invoice/scan.pdf")
			} else {
				r.write("other.pdf", pdf("other"), "invoice")
			}
			r.moveSorted("moved")
			r.relocate()
			r.start()
			d := r.reaches("scan.pdf", store.Filed, time.Minute)
			same(t, "sorted", d.Sorted, r.sorted)
			exists(t, r.sorted, "invoice/scan.pdf", "invoice/scan.pdf.json")
		})
	})
}

// Another document that is about to have the same place is not in the way, and is not taken
// for it.
func TestRelocateSortedWithTwoMovesUnderWay(t *testing.T) {
	each(t, []bool{true, false}, func(t *testing.T, before bool) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.identified(1, "a/scan.pdf", pdf("scan"), "invoice")
			r.identified(2, "b/scan.pdf", pdf("other"), "invoice")
			r.targeted(1, r.sorted, "invoice/scan.pdf")
			old := r.moveSorted("moved")
			if before {
				r.targeted(2, r.sorted, "invoice/scan.pdf")
				sameList(t, "what it says", r.relocate(), Recorded{In: old, Moved: 1})
				same(t, "sorted", r.doc("a/scan.pdf").Sorted, old)
				return
			}
			r.relocate()
			same(t, "sorted", r.doc("a/scan.pdf").Sorted, r.sorted)
			r.targeted(2, r.sorted, "invoice/scan.pdf")
			same(t, "target", r.doc("a/scan.pdf").Target, "")
		})
	})
}

// What a daemon that runs with the settings of before may be about to move into the old
// folder stays recorded there.
func TestRelocateSortedBesideAMove(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.identified(1, "scan.pdf", pdf("scan"), "invoice")
		r.targeted(1, r.sorted, "invoice/scan.pdf")
		old := r.moveSorted("moved")
		must(t, os.Mkdir(old, 0o755))
		sameList(t, "what it says", r.relocate(), Recorded{In: old, Still: 1})
		same(t, "sorted", r.doc("scan.pdf").Sorted, old)
	})
}

// A document that the service is asked about anew stays where it is, wherever that is.
func TestRelocateSortedWithAQuestionUnderWay(t *testing.T) {
	each(t, []store.State{store.Waiting, store.Pending}, func(t *testing.T, state store.State) {
		bubble(t, docutraytest.Options{Latency: 30 * time.Second}, func(r *rig) {
			r.start()
			r.file("scan.pdf", pdf("scan"), "invoice")
			must(t, r.halt())
			r.knows(pdf("scan"), "contract", 0.97)
			must(t, New(r.cfg).refiler().AskAnew(bg, r.doc("scan.pdf")))
			if state == store.Pending {
				r.start()
				r.reaches("scan.pdf", state, 5*time.Minute)
				must(t, r.halt())
			}
			r.moveSorted("moved")
			r.relocate()
			r.start()
			d := r.reaches("scan.pdf", store.Filed, 5*time.Minute)
			same(t, "jobs", r.service.Stats().Jobs, 2)
			same(t, "type", d.Type, "contract")
			same(t, "sorted", d.Sorted, r.sorted)
			exists(t, r.sorted, "contract/scan.pdf")
		})
	})
}
