package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// filedBefore moves a document's file to where an earlier run filed it, of which the
// record knows nothing.
func (r *rig) filedBefore(name, target string) {
	r.t.Helper()
	to := filepath.Join(r.sorted, target)
	must(r.t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(r.t, os.Rename(filepath.Join(r.inbox, name), to))
}

// Where the record was restored it may be older than the files: a document that was filed
// since is found, and is not paid for again.
func TestDocumentThatWasFiledBeforeTheRecord(t *testing.T) {
	for target, want := range map[string]store.State{
		"receipt/scan-2.pdf": store.Filed, "_review/receipt/scan.pdf": store.Review, "_failed/scan.pdf": store.Failed,
	} {
		each(t, []store.State{store.Waiting, store.Pending, store.Identified}, func(t *testing.T, state store.State) {
			bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
				if state == store.Pending {
					r.at(state, func() { must(t, r.halt()) })
				} else {
					r.admitted("scan.pdf", pdf("old"))
					r.knows(pdf("old"), "receipt", 0.97)
				}
				if state == store.Identified {
					r.answered(1, "receipt")
				}
				jobs := r.service.Stats().Jobs
				r.filedBefore("scan.pdf", target)
				r.start()
				d := r.reaches("scan.pdf", want, 5*time.Minute)
				same(t, "place", d.Target, target)
				same(t, "type", d.Type, map[bool]string{true: "receipt"}[want != store.Failed])
				same(t, "jobs", r.service.Stats().Jobs, jobs)
			})
		})
	}
}

// A file of the same name is another document's where its content is, or where the record
// says so.
func TestFileOfAnotherDocumentIsNotFound(t *testing.T) {
	each(t, []string{"same", "other"}, func(t *testing.T, content string) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.file("a/scan.pdf", pdf(content), "invoice")
			must(t, r.halt())
			r.admitted("b/scan.pdf", pdf("same"))
			must(t, os.Remove(filepath.Join(r.inbox, "b/scan.pdf")))
			r.service.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
			r.start()
			r.reaches("b/scan.pdf", store.Gone, 5*time.Minute)
		})
	})
}

func (r *rig) relocator() Relocator {
	return Relocator{Store: r.store, Inbox: r.inbox, Sorted: r.sorted, Folders: r.cfg.Folders, DocumentTypes: r.cfg.DocumentTypes}
}

// elsewhere admits a document as if the inbox had been another folder then.
func (r *rig) elsewhere(name string, mounted uint64) {
	r.t.Helper()
	r.write(name, pdf(name), "invoice")
	a, err := New(r.cfg).examine(name)
	must(r.t, err)
	a.Inbox.Device, a.Inbox.Inode, a.Identity.Device = a.Inbox.Device+1, a.Inbox.Inode+1, a.Inbox.Device+1+mounted
	_, err = r.store.Admit(bg, a)
	must(r.t, err)
}

// After a take-over each document goes on from where its file is.
func TestRelocate(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		for _, name := range []string{"here.pdf", "filed.pdf", "gone.pdf", "twin.pdf"} {
			r.elsewhere(name, 0)
		}
		r.filedBefore("filed.pdf", "contract/filed.pdf")
		must(t, os.Remove(filepath.Join(r.inbox, "gone.pdf")))
		plan, err := r.relocator().Plan(bg)
		must(t, err)
		same(t, "documents", len(plan), 4)
		same(t, "found", plan[1].Found.Target, "contract/filed.pdf")
		for i, gone := range []bool{false, false, true, false} {
			same(t, "gone", plan[i].Gone, gone)
		}
		for _, d := range r.docs() {
			same(t, "changed by the plan", d.State, store.Waiting)
		}
		must(t, r.relocator().Apply(bg, plan))
		same(t, "gone", r.doc("gone.pdf").State, store.Gone)
		same(t, "filed", r.doc("filed.pdf").Type, "contract")
		must(t, os.Remove(filepath.Join(r.inbox, "twin.pdf")))
		r.start()
		r.files <- "here.pdf"
		r.reaches("here.pdf", store.Filed, time.Minute)
		r.reaches("twin.pdf", store.Gone, 5*time.Minute) // the inbox is that of the record
		same(t, "jobs", r.service.Stats().Jobs, 1)
	})
}

// An empty folder may be one that is not mounted.
func TestRelocateConcludesNothingFromEmptyFolders(t *testing.T) {
	each(t, []string{"inbox", "sorted"}, func(t *testing.T, folder string) {
		each(t, []string{"empty", "missing"}, func(t *testing.T, how string) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				r.file("first.pdf", pdf("first"), "invoice")
				must(t, r.halt())
				r.elsewhere("waits.pdf", 0)
				must(t, os.Rename(filepath.Join(r.inbox, "waits.pdf"), filepath.Join(r.inbox, "other.pdf")))
				dir := filepath.Join(filepath.Dir(r.inbox), folder)
				must(t, os.Rename(dir, dir+".away"))
				if how == "empty" {
					must(t, os.Mkdir(dir, 0o755))
				}
				if plan, err := r.relocator().Plan(bg); err == nil {
					t.Errorf("it concluded %+v", plan)
				}
			})
		})
	})
}

// A folder that was mounted in the inbox, and is empty, says nothing of its documents.
func TestRelocateLeavesFoldersThatAreNotMounted(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.elsewhere("usb/scan.pdf", 1)
		r.write("other.pdf", pdf("other"), "invoice")
		must(t, os.Remove(filepath.Join(r.inbox, "usb/scan.pdf")))
		plan, err := r.relocator().Plan(bg)
		must(t, err)
		one := plan[0]
		same(t, "left", one.Left, errFolderAway)
		same(t, "gone", one.Gone, false)
	})
}
