package pipeline

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestDocumentIsFiledUnderItsType(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		begun := time.Now()
		content := pdf("one")
		d := r.file("scan.pdf", content, "invoice")
		between(t, "took", time.Since(begun), 0, 4*time.Second)
		sameList(t, "sorted", r.names(), "invoice/scan.pdf")
		same(t, "content", tree(t, r.sorted)["invoice/scan.pdf"], content)
		same(t, "files beneath sorted, a sidecar not among them", len(tree(t, r.sorted)), 1)
		same(t, "inbox", len(tree(t, r.inbox)), 0)
		same(t, "type", d.Type, "invoice")
		same(t, "attempts", d.Attempts, 1)
		same(t, "submissions", d.Submissions, 1)
		same(t, "resubmissions", d.Resubmissions, 0)
		same(t, "job", d.JobID, r.service.Uploads()[0].JobID)
		for _, m := range []string{"document admitted", "document submitted", "document identified", "document filed"} {
			same(t, m, r.log.count(m), 1)
		}
	})
}

// A stop lets uploads end, so that their jobs are known.
func TestStopLetsUploadsEnd(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.slowUploads(20 * time.Second)
		r.start()
		r.dropNumbered(8)
		r.pass(time.Second)
		same(t, "uploading", r.counts()[store.Submitting], 4)
		begun := time.Now()
		must(t, r.halt())
		same(t, "stop took", time.Since(begun), 19*time.Second)
		same(t, "jobs", r.service.Stats().Jobs, 4)
		counts := r.counts()
		same(t, "pending", counts[store.Pending], 4)
		same(t, "waiting", counts[store.Waiting], 4)
		same(t, "submissions", r.service.Stats().Submissions, 4)
	})
}

// An upload that takes longer than the grace is aborted, and its outcome is unknown.
func TestStopCutsOffWhatTakesTooLong(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(_ http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPost {
				_, _ = req.Body.Read(make([]byte, 1<<20))
				<-req.Context().Done()
			}
			return false
		})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.pass(time.Second)
		begun := time.Now()
		must(t, r.halt())
		same(t, "stop took", time.Since(begun), 25*time.Second)
		d := r.doc("scan.pdf")
		same(t, "state", d.State, store.Waiting)
		same(t, "unknown", d.OutcomeUnknown, true)
		same(t, "refusals", d.Failures, 0)
		r.intercept(nil)
		r.start()
		d = r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "resubmissions", d.Resubmissions, 1)
	})
}

func TestStopAtTheGateIsQuick(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}}, func(r *rig) {
		r.start()
		r.dropNumbered(8)
		r.held(store.HoldAccount, time.Second)
		time.Sleep(1500 * time.Millisecond)
		begun := time.Now()
		must(t, r.halt())
		same(t, "stop took", time.Since(begun), 0)
		same(t, "waiting", r.counts()[store.Waiting], 8)
	})
}

// An error of a loop ends Run, also while jobs are under way.
func TestErrorOfALoopEndsRunAtOnce(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 30 * time.Minute}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Pending, time.Minute)
		r.disk.set("read", sqlite3.ErrConstraint)
		r.p.dispatchNow.wake()
		begun := time.Now()
		contains(t, "Run", fmt.Sprint(r.wait()), "dispatch")
		between(t, "took", time.Since(begun), 0, time.Minute)
	})
}

// A document whose whole path is longer than a path may be is filed like any other.
func TestLongPath(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		folder := strings.Repeat(strings.Repeat("d", 249)+"/", 16) + strings.Repeat("d", 80)
		inbox, err := os.OpenRoot(r.inbox)
		must(t, err)
		defer inbox.Close()
		must(t, inbox.MkdirAll(folder, 0o755))
		source := folder + "/x.pdf"
		if n := len(r.inbox + "/" + folder); n < 4096 {
			t.Fatalf("%d bytes are no long path", n)
		}
		must(t, inbox.WriteFile(source, []byte(pdf("x")), 0o640))
		r.knows(pdf("x"), "invoice", 0.97)
		r.start()
		r.files <- source
		r.until(time.Minute, "filed", func() bool { return r.doc(source).State == store.Filed })
		r.held("", 0)
		same(t, "holds", r.log.count("on hold: action required"), 0)
	})
}
