package pipeline

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// at does something to the file of a document once it is in a state: while it
// waits at a closed gate, is uploaded, or is at the service.
func (r *rig) at(state store.State, act func()) {
	r.t.Helper()
	switch state {
	case store.Waiting:
		r.service.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
	case store.Submitting:
		r.slowUploads(5 * time.Second)
	}
	r.start()
	r.drop("scan.pdf", pdf("old"), "invoice")
	time.Sleep(time.Second)
	synctest.Wait()
	same(r.t, "state", r.doc("scan.pdf").State, state)
	act()
	r.service.SetAccount(docutraytest.AccountGood, time.Time{})
	time.Sleep(10 * time.Second)
	synctest.Wait()
	r.intercept(nil)
}

var stages = []store.State{store.Waiting, store.Submitting, store.Pending}

// Other content is another document, at whatever stage the old one was: the old
// one is gone, and what is filed is what the service was asked about.
func TestFileThatChanges(t *testing.T) {
	for _, stage := range stages {
		for _, told := range []bool{true, false} {
			t.Run(string(stage), func(t *testing.T) {
				bubble(t, docutraytest.Options{}, func(r *rig) {
					r.at(stage, func() {
						r.write("scan.pdf", pdf("new"), "receipt")
						if told {
							r.files <- "scan.pdf"
						}
					})
					if !told {
						r.files <- "scan.pdf"
					}
					r.reaches("scan.pdf", store.Filed, 5*time.Minute)
					sameList(t, "sorted", r.names(), "receipt/scan.pdf")
					same(t, "old one", r.docs()[0].State, store.Gone)
					same(t, "content", tree(t, r.sorted)["receipt/scan.pdf"], pdf("new"))
					for _, u := range r.service.Uploads() {
						if u.SHA256 != hashOf(pdf("new")) && stage == store.Waiting {
							t.Errorf("what was no longer there was uploaded")
						}
					}
				})
			})
		}
	}
}

// Where it changes while it is being read, the service never has all of it.
func TestFileThatChangesDuringItsUpload(t *testing.T) {
	t.Run("hashed by this process", func(t *testing.T) { changesDuringItsUpload(t, false) })
	t.Run("hashed by an earlier one", func(t *testing.T) { changesDuringItsUpload(t, true) })
}

func changesDuringItsUpload(t *testing.T, restarted bool) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		content := "%PDF-1.4\n" + string(make([]byte, 1<<20)) + "%%EOF"
		changed := false
		r.intercept(func(_ http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPost && !changed {
				changed = true
				_, _ = io.CopyN(io.Discard, req.Body, 1<<19)
				f, err := os.OpenFile(filepath.Join(r.inbox, "scan.pdf"), os.O_WRONLY, 0)
				must(t, err)
				_, err = f.WriteAt([]byte("other"), int64(len(content)-100))
				must(t, err)
				must(t, f.Close())
			}
			return false
		})
		if restarted {
			r.admitted("scan.pdf", content)
			r.start()
		} else {
			r.start()
			r.drop("scan.pdf", content, "invoice")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		same(t, "complete uploads", r.service.Stats().Complete, 0)
		d := r.doc("scan.pdf")
		same(t, "state", d.State, store.Waiting)
		same(t, "reason", d.Error, "changed during its upload")
		same(t, "unknown", d.OutcomeUnknown, false)
		time.Sleep(10 * time.Second) // and again, which is found before the POST
		synctest.Wait()
		same(t, "complete uploads", r.service.Stats().Complete, 0)
		now := tree(t, r.inbox)["scan.pdf"]
		r.knows(now, "receipt", 1)
		r.files <- "scan.pdf"
		d = r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "content", tree(t, r.sorted)["receipt/scan.pdf"], now)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		same(t, "resubmissions", d.Resubmissions, 0)
	})
}

func TestFileThatIsTakenAway(t *testing.T) {
	for _, stage := range stages {
		t.Run(string(stage), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.at(stage, func() { must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf"))) })
				r.reaches("scan.pdf", store.Gone, 5*time.Minute)
				sameList(t, "sorted", r.names())
				same(t, "in flight", r.p.Activity(), Activity{})
				if stage == store.Waiting {
					same(t, "jobs", r.service.Stats().Jobs, 0)
				}
			})
		})
	}
}

// The sweep finds that a file went though nothing else looks at it.
func TestFileThatIsTakenAwayInAHold(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.service.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldAccount, time.Second)
		must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		r.reaches("scan.pdf", store.Gone, 61*time.Second)
	})
}

// A touched file is the same document.
func TestFileThatIsTouched(t *testing.T) {
	for _, stage := range stages {
		t.Run(string(stage), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.at(stage, func() {
					path := filepath.Join(r.inbox, "scan.pdf")
					must(t, os.Chtimes(path, time.Now(), time.Now()))
					must(t, os.Chmod(path, 0o600))
					r.files <- "scan.pdf"
				})
				r.reaches("scan.pdf", store.Filed, time.Minute)
				same(t, "records", len(r.docs()), 1)
				same(t, "jobs", r.service.Stats().Jobs, 1)
			})
		})
	}
}

// A file that is moved within the inbox is not paid for twice, also where other
// content takes its old place.
func TestFileThatIsMovedWithinTheInbox(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		for _, stage := range stages[1:] {
			t.Run(string(stage), func(t *testing.T) {
				bubble(t, docutraytest.Options{Latency: 20 * time.Second}, func(r *rig) {
					r.at(stage, func() {
						must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), filepath.Join(r.inbox, "mine.pdf")))
						time.Sleep(6 * time.Second) // as long as it takes to settle
						if replaced {
							r.drop("scan.pdf", pdf("another"), "receipt")
						}
						r.files <- "mine.pdf"
					})
					r.reaches("mine.pdf", store.Filed, 2*time.Minute)
					want := 1
					if replaced {
						r.reaches("scan.pdf", store.Filed, 2*time.Minute)
						want = 2
					}
					same(t, "jobs", r.service.Stats().Jobs, want)
					exists(t, r.sorted, "invoice/mine.pdf")
				})
			})
		}
	}
}

// An inbox that is away says nothing about what was in it.
func TestInboxThatIsAway(t *testing.T) {
	for _, stage := range stages {
		t.Run(string(stage), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.at(stage, func() { must(t, os.Rename(r.inbox, r.inbox+".away")) })
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if d := r.doc("scan.pdf"); d.State.Finished() {
					t.Errorf("%s: %s", d.State, d.Error)
				}
				same(t, "jobs", r.service.Stats().Jobs > 1, false)
				must(t, os.Rename(r.inbox+".away", r.inbox))
				r.reaches("scan.pdf", store.Filed, 5*time.Minute)
			})
		})
	}
}

// Nor does another filesystem that stands at its place.
func TestInboxThatIsAnotherFolder(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.write("scan.pdf", pdf("x"), "invoice")
		a, err := New(r.cfg).examine("scan.pdf")
		must(t, err)
		a.Inbox.Device, a.Inbox.Inode = a.Inbox.Device+1, a.Inbox.Inode+1
		_, err = r.store.Admit(bg, a)
		must(t, err)
		must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), r.inbox+".scan"))
		r.start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		same(t, "state", r.doc("scan.pdf").State, store.Waiting)
		must(t, os.Rename(r.inbox+".scan", filepath.Join(r.inbox, "scan.pdf")))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	})
}

// Also when the answer is there, and the file is to be moved.
func TestInboxThatIsAnotherFolderAtTheMove(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.write("scan.pdf", pdf("x"), "invoice")
		a, err := New(r.cfg).examine("scan.pdf")
		must(t, err)
		a.Inbox.Device, a.Inbox.Inode = a.Inbox.Device+1, a.Inbox.Inode+1
		_, err = r.store.Admit(bg, a)
		must(t, err)
		_, err = r.store.Submitting(bg, 1, store.SubmitRequest{Options: r.cfg.DocumentTypes})
		must(t, err)
		err = r.store.Accepted(bg, 1, "job")
		must(t, err)
		err = r.store.Identified(bg, 1, store.Answer{Type: "invoice", Confidence: 1, Outcome: store.Filed})
		must(t, err)
		must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), r.inbox+".scan"))
		r.start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		d := r.doc("scan.pdf")
		same(t, "state", d.State, store.Identified)
		same(t, "reason", d.Error, errInboxAway.Error())
		must(t, os.Rename(r.inbox+".scan", filepath.Join(r.inbox, "scan.pdf")))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	})
}
