package pipeline

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
	r.pass(time.Second)
	same(r.t, "state", r.doc("scan.pdf").State, state)
	act()
	r.service.SetAccount(docutraytest.AccountGood, time.Time{})
	r.pass(10 * time.Second)
	r.intercept(nil)
}

var stages = []store.State{store.Waiting, store.Submitting, store.Pending}

// A file with new content is a new document, whatever the state of the old one. The old
// one is gone, and the service identified what is filed.
func TestFileThatChanges(t *testing.T) {
	each(t, stages, func(t *testing.T, stage store.State) {
		each(t, []bool{true, false}, func(t *testing.T, told bool) {
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
	})
}

// Where the file changes while it is being uploaded, the upload is never completed.
func TestFileThatChangesDuringItsUpload(t *testing.T) {
	each(t, []bool{false, true}, changesDuringItsUpload)
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
		r.pass(time.Second)
		same(t, "complete uploads", r.service.Stats().Complete, 0)
		d := r.doc("scan.pdf")
		same(t, "state", d.State, store.Waiting)
		same(t, "reason", d.Error, "changed during its upload")
		same(t, "unknown", d.OutcomeUnknown, false)
		r.pass(10 * time.Second) // and again, which is found before the POST
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

// A file with new times and a new mode is the same document.
func TestFileThatIsTouched(t *testing.T) {
	each(t, stages, func(t *testing.T, stage store.State) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.at(stage, func() {
				path := filepath.Join(r.inbox, "scan.pdf")
				must(t, os.Chtimes(path, time.Now(), time.Now()))
				must(t, os.Chmod(path, 0o600))
				r.files <- "scan.pdf"
			})
			r.reaches("scan.pdf", store.Filed, time.Minute)
			same(t, "documents", len(r.docs()), 1)
			same(t, "jobs", r.service.Stats().Jobs, 1)
		})
	})
}

// A file that is moved within the inbox is not paid for twice, not even where a file with
// other content takes its old place.
func TestFileThatIsMovedWithinTheInbox(t *testing.T) {
	each(t, []bool{false, true}, func(t *testing.T, replaced bool) {
		each(t, stages[1:], func(t *testing.T, stage store.State) {
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
	})
}

// It leaves its name in sorted to itself.
func TestFileThatIsMovedToAnotherFolderKeepsItsName(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 20 * time.Second}, func(r *rig) {
		r.at(store.Pending, func() {
			must(t, os.Mkdir(filepath.Join(r.inbox, "anna"), 0o755))
			must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), filepath.Join(r.inbox, "anna", "scan.pdf")))
			r.files <- "anna/scan.pdf"
		})
		r.reaches("anna/scan.pdf", store.Filed, 2*time.Minute)
		exists(t, r.sorted, "invoice/scan.pdf")
	})
}

// dropSparse drops a document of a size, whose bytes are not on the disk.
func (r *rig) dropSparse(name string, size int64) {
	r.write(name, "%PDF-1.4", "invoice")
	must(r.t, os.Truncate(filepath.Join(r.inbox, name), size))
	r.files <- name
}

func TestUnsupportedFilesFailWithoutAnUpload(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("empty.pdf", "", "")
		r.drop("words.doc", "no document that the service takes", "")
		r.dropSparse("huge.pdf", 100<<20+1)
		for name, reason := range map[string]string{
			"empty.pdf": "empty", "words.doc": "unsupported format: plain text", "huge.pdf": "larger than",
		} {
			d := r.reaches(name, store.Failed, time.Minute)
			contains(t, name, d.Error, reason)
			data, err := os.ReadFile(filepath.Join(r.sorted, "_failed", name+".error.json"))
			must(t, err)
			var s sidecar
			must(t, json.Unmarshal(data, &s))
			same(t, name, s.Reason, d.Error)
			exists(t, r.sorted, "_failed/"+name)
		}
		same(t, "requests", r.service.Stats().Requests, 0)
		same(t, "inbox", len(tree(t, r.inbox)), 0)
	})
}

func TestLargestFileIsStillTaken(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.dropSparse("large.pdf", 100<<20)
		r.reaches("large.pdf", store.Filed, time.Minute)
		same(t, "size", r.service.Uploads()[0].Size, 100<<20)
	})
}

func TestExtensionsAreKeptAndFormatsAreByContent(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		names := []string{"photo.jpg", "noextension", "report.PDF", "x.txt"}
		for _, n := range names {
			r.file(n, pdf(n), "invoice")
		}
		sameList(t, "sorted", r.names(), "invoice/noextension", "invoice/photo.jpg", "invoice/report.PDF", "invoice/x.txt")
		for _, u := range r.service.Uploads() {
			same(t, u.Filename, u.ContentType, "application/pdf")
		}
	})
}

// A file that cannot be opened for another reason than its permissions is stored with it,
// so that the report shows it.
func TestFileThatCannotBeOpened(t *testing.T) {
	p := &Pipeline{Config: Config{Inbox: t.TempDir()}}
	must(t, os.WriteFile(filepath.Join(p.Inbox, "scan.pdf"), []byte(pdf("x")), 0o600))
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: limit.Max}))
	a, err := p.examine("scan.pdf")
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	must(t, err)
	contains(t, "reason", a.Blocked, "cannot be opened: ")
}
