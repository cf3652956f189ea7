package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// moveSorted moves what is in the sorted folder to another one, which the settings name
// from then on, and returns the old one.
func (r *rig) moveSorted(to string) (old string) {
	r.t.Helper()
	old = r.sorted
	to = filepath.Join(filepath.Dir(r.inbox), to)
	for name := range tree(r.t, old) {
		must(r.t, os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755))
		must(r.t, os.Rename(filepath.Join(old, name), filepath.Join(to, name)))
	}
	must(r.t, os.RemoveAll(old))
	must(r.t, os.MkdirAll(to, 0o755))
	r.sorted, r.cfg.Sorted = to, to
	return old
}

// relocate does what the command does, and returns what it has to say of the sorted folder.
func (r *rig) relocate() []Recorded {
	r.t.Helper()
	plan, err := r.relocator().Plan(bg)
	must(r.t, err)
	recorded, err := r.relocator().PlanSorted(bg)
	must(r.t, err)
	must(r.t, r.relocator().Apply(bg, plan))
	_, err = r.relocator().ApplySorted(bg)
	must(r.t, err)
	left, err := r.store.Decisions(bg)
	must(r.t, err)
	must(r.t, New(r.cfg).refiler().Finish(bg, left))
	return recorded
}

// fileOneOfEach has a document filed, one in review and one failed.
func (r *rig) fileOneOfEach() {
	r.t.Helper()
	r.inReview(map[string]string{"unsure.pdf": pdf("unsure")})
	r.file("scan.pdf", pdf("scan"), "invoice")
	r.drop("notes.txt", "notes", "")
	r.reaches("notes.txt", store.Failed, time.Minute)
	must(r.t, r.halt())
}

// Documents move with their sorted folder: they are followed, refiled and put back from
// where they are then.
func TestRelocateSorted(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.fileOneOfEach()
		before := r.docs()
		old := r.moveSorted("moved")
		all, err := r.relocator().PlanSorted(bg)
		must(t, err)
		sameList(t, "plan", all, Recorded{In: old, Moved: 3})
		for i, d := range r.docs() {
			same(t, "changed by the plan", d.Sorted, before[i].Sorted)
		}
		r.relocate()
		sameList(t, "once more", r.relocate())
		for i, d := range r.docs() {
			same(t, "sorted", d.Sorted, r.sorted)
			same(t, "target", d.Target, before[i].Target)
			same(t, "state", d.State, before[i].State)
		}
		_, err = New(r.cfg).refiler().Refile(bg, r.doc("scan.pdf"), "contract")
		must(t, err)
		exists(t, r.sorted, "contract/scan.pdf")
		r.start()
		r.mv("_review/receipt/unsure.pdf", "contract/unsure.pdf")
		same(t, "type", r.reaches("unsure.pdf", store.Filed, 5*time.Minute).Type, "contract")
		must(t, os.Remove(filepath.Join(r.sorted, "_failed/notes.txt")))
		r.reaches("notes.txt", store.Gone, 5*time.Minute)
	}, uncertain)
}

// A document whose file did not move, or is another one now, keeps its place.
func TestRelocateSortedLeaves(t *testing.T) {
	at := func(r *rig) string { return filepath.Join(r.sorted, "invoice/scan.pdf") }
	write := func(content string, age time.Duration) func(*rig, string) {
		return func(r *rig, _ string) {
			must(r.t, os.WriteFile(at(r), []byte(content), 0o640))
			then := time.Unix(0, r.doc("scan.pdf").Identity.ModTime).Add(-age)
			must(r.t, os.Chtimes(at(r), then, then))
		}
	}
	for name, c := range map[string]struct {
		change func(r *rig, old string)
		want   Recorded
	}{
		"moved":             {func(*rig, string) {}, Recorded{Moved: 1}},
		"another time":      {write(pdf("scan"), time.Hour), Recorded{Moved: 1}},
		"another size":      {write(pdf("other than that"), 0), Recorded{Missing: 1}},
		"another content":   {write(pdf("nacs"), time.Hour), Recorded{Missing: 1}},
		"a link":            {func(r *rig, _ string) { r.mv("invoice/scan.pdf", "x"); must(r.t, os.Symlink("../x", at(r))) }, Recorded{Missing: 1}},
		"not there":         {func(r *rig, _ string) { r.mv("invoice/scan.pdf", "invoice/x") }, Recorded{Missing: 1}},
		"the old path too":  {func(r *rig, old string) { must(r.t, os.Symlink(r.sorted, old)) }, Recorded{Moved: 1}},
		"a copy":            {func(r *rig, old string) { must(r.t, os.CopyFS(old, os.DirFS(r.sorted))) }, Recorded{Still: 1}},
		"cannot be seen to": {func(_ *rig, old string) { must(t, os.Symlink(old, old)) }, Recorded{Unclear: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				r.file("scan.pdf", pdf("scan"), "invoice")
				must(t, r.halt())
				old := r.moveSorted("moved")
				c.change(r, old)
				got := r.relocate()[0]
				c.want.In, got.Err = old, nil
				same(t, "what it says", got, c.want)
				same(t, "sorted", r.doc("scan.pdf").Sorted, map[int]string{0: old, 1: r.sorted}[got.Moved])
			})
		})
	}
}

// Of an empty folder, or none, nothing is concluded: it may not be mounted.
func TestRelocateToASortedFolderThatIsAway(t *testing.T) {
	each(t, []string{"empty", "missing"}, func(t *testing.T, how string) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.fileOneOfEach()
			r.moveSorted("moved")
			must(t, os.Rename(r.sorted, r.sorted+".away"))
			if how == "empty" {
				must(t, os.Mkdir(r.sorted, 0o755))
			}
			if all, err := r.relocator().PlanSorted(bg); err == nil {
				t.Errorf("it concluded %+v", all)
			}
		}, uncertain)
	})
}

// A file at the place of an equal document is that one's.
func TestRelocateSortedOntoAnEqualDocument(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		first := r.file("scan.pdf", pdf("scan"), "invoice")
		must(t, r.halt())
		must(t, os.Remove(filepath.Join(r.sorted, "invoice/scan.pdf")))
		old := r.moveSorted("moved")
		r.start()
		r.file("scan.pdf", pdf("scan"), "invoice")
		must(t, r.halt())
		sameList(t, "what it says", r.relocate(), Recorded{In: old, Missing: 1})
		d, err := r.store.Document(bg, first.ID)
		must(t, err)
		same(t, "sorted", d.Sorted, old)
	})
}

// A document that was never read is recognised by its time, cut to the second as archives
// keep it.
func TestRelocateSortedNeverRead(t *testing.T) {
	each(t, []time.Duration{0, time.Second}, func(t *testing.T, off time.Duration) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.drop("empty.pdf", "", "")
			d := r.reaches("empty.pdf", store.Failed, time.Minute)
			must(t, r.halt())
			old := r.moveSorted("moved")
			then := time.Unix(0, d.Identity.ModTime).Truncate(time.Second).Add(-off)
			must(t, os.Chtimes(filepath.Join(r.sorted, d.Target), then, then))
			same(t, "moved", r.relocate()[0].Moved, map[bool]int{true: 1}[off == 0])
			same(t, "sorted", r.doc("empty.pdf").Sorted, map[bool]string{true: r.sorted, false: old}[off == 0])
		})
	})
}

// What was stored before it was interrupted is not done again, and what was not is.
func TestRelocateSortedThatIsInterrupted(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.fileOneOfEach()
		old := r.moveSorted("moved")
		root, err := folderAt(r.sorted)
		must(t, err)
		docs := r.docs()[:2]
		docs[1].Target = "_review/receipt/before it was moved by hand.pdf"
		n, err := r.store.RelocateSorted(bg, docs, root)
		must(t, err)
		same(t, "stored", n, 1)
		sameList(t, "what is left", r.relocate(), Recorded{In: old, Moved: 2})
		for _, d := range r.docs() {
			same(t, "sorted", d.Sorted, r.sorted)
		}
	}, uncertain)
}

// Who asks anew about a document in another sorted folder is told that it is missing there,
// or lies there.
func TestAskAnewInAnotherSortedFolder(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.fileOneOfEach()
		old := r.moveSorted("moved")
		err := New(r.cfg).refiler().AskAnew(bg, r.doc("scan.pdf"))
		is(t, "missing", err, filing.ErrNoRoot)
		must(t, os.CopyFS(old, os.DirFS(r.sorted)))
		err = New(r.cfg).refiler().AskAnew(bg, r.doc("scan.pdf"))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there: %v", err)
		}
	}, uncertain)
}
