package pipeline

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A stop lets uploads end, so that their jobs are known.
func TestStopLetsUploadsEnd(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.slowUploads(20 * time.Second)
		r.start()
		for i := range 8 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		time.Sleep(time.Second)
		synctest.Wait()
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

// What takes longer than the grace is cut off, as an unknown outcome.
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
		time.Sleep(time.Second)
		synctest.Wait()
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
		for i := range 8 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		r.held(store.HoldAccount, time.Second)
		time.Sleep(1500 * time.Millisecond)
		begun := time.Now()
		must(t, r.halt())
		same(t, "stop took", time.Since(begun), 0)
		same(t, "waiting", r.counts()[store.Waiting], 8)
	})
}

func (r *rig) counts() map[store.State]int {
	counts := make(map[store.State]int)
	for _, d := range r.docs() {
		counts[d.State]++
	}
	return counts
}

func TestLimitsOfUploadsAndOfJobsInFlight(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 40 * time.Second}, func(r *rig) {
		r.slowUploads(2 * time.Second)
		r.start()
		go func() {
			for i := range 60 {
				r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
			}
		}()
		most := 0
		r.until(30*time.Minute, "all filed", func() bool {
			counts := r.counts()
			most = max(most, counts[store.Submitting]+counts[store.Pending])
			return len(r.names()) == 60
		})
		same(t, "most in flight", most, 10)
		same(t, "most uploads at a time", r.service.Stats().MaxUploading, 3)
	}, func(c *Config) { c.Workers, c.MaxPending = 3, 10 })
}

// New documents go before those that wait out a pause.
func TestNewDocumentsGoFirst(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		for i := range 3 {
			r.admitted(fmt.Sprint("old", i, ".pdf"), pdf(fmt.Sprint("old", i)))
			r.submitting(int64(i + 1))
			must(t, r.store.Refused(bg, int64(i+1), store.Refusal{Reason: "x", RetryAt: time.Now().Add(time.Second)}))
		}
		r.slowUploads(10 * time.Second)
		r.start()
		for i := range 3 {
			r.drop(fmt.Sprint("new", i, ".pdf"), pdf(fmt.Sprint("new", i)), "invoice")
		}
		r.until(5*time.Minute, "all filed", func() bool { return len(r.names()) == 6 })
		var order []string
		for _, u := range r.service.Uploads() {
			order = append(order, u.Filename[:3])
		}
		sameList(t, "order", order, "new", "new", "new", "old", "old", "old")
	}, func(c *Config) { c.Workers = 1 })
}

func TestRunEndsWhenAllIsDone(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		for i := range 10 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		close(r.files)
		must(t, r.wait())
		same(t, "filed", len(r.names()), 10)
	})
}

func TestRunEndsWithWhatIsLeft(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults docutraytest.Faults
		after  time.Duration
		most   time.Duration
	}{
		{"account", docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, 0, time.Second},
		{"service", docutraytest.Faults{Outage: docutraytest.OutageDrop}, time.Minute, 2 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				close(r.files)
				begun := time.Now()
				if err := r.wait(); !errors.Is(err, ErrLeft) {
					t.Errorf("Run: %v", err)
				}
				if took := time.Since(begun); took < c.after || took > c.most {
					t.Errorf("after %s", took)
				}
				sameList(t, "sorted", r.names())
			})
		})
	}
}

func TestRunEndsWithDocumentsThatCannotBeMoved(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.Symlink(t.TempDir(), filepath.Join(r.sorted, "_failed")))
		must(t, os.Symlink(t.TempDir(), filepath.Join(r.sorted, "invoice")))
		r.start()
		r.drop("words.doc", "no document", "")
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.drop("good.pdf", pdf("good"), "receipt")
		close(r.files)
		if err := r.wait(); !errors.Is(err, ErrLeft) {
			t.Errorf("Run: %v", err)
		}
		sameList(t, "sorted", r.names(), "receipt/good.pdf")
		if d := r.doc("scan.pdf"); !strings.Contains(d.Error, "link") {
			t.Errorf("reason %q", d.Error)
		}
	})
}
