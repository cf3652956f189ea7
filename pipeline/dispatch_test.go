package pipeline

import (
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

// RetryNow ends every pause: of refused submissions, of moves, and until the next sweep.
func TestRetryNowEndsPauses(t *testing.T) {
	hours := func(c *Config) { c.Rescan = 10 * time.Hour }
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, 500, "Internal server error")
		})
		r.drop("bad.pdf", pdf(strings.Repeat("x", 9000)), "invoice")
		for i := range 30 {
			name := fmt.Sprint(i, ".pdf")
			r.drop(name, pdf(name), "invoice")
			time.Sleep(10 * time.Minute)
		}
		r.until(3*time.Hour, "a long pause", func() bool { return time.Until(r.doc("bad.pdf").RetryAt) > 5*time.Minute })
		r.intercept(nil)
		r.p.RetryNow(bg)
		r.reaches("bad.pdf", store.Filed, 10*time.Second)
	}, hours)
	bubble(t, docutraytest.Options{}, func(r *rig) {
		link := filepath.Join(r.sorted, "invoice")
		must(t, os.Symlink("/nowhere", link))
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.until(time.Minute, "a reason", func() bool { return r.doc("scan.pdf").Error != "" })
		time.Sleep(2 * time.Hour)
		must(t, os.Remove(link))
		synctest.Wait()
		same(t, "state", r.doc("scan.pdf").State, store.Identified)
		r.p.RetryNow(bg)
		r.reaches("scan.pdf", store.Filed, time.Second)
	}, hours)
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.service.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldAccount, time.Second)
		must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		r.p.RetryNow(bg)
		r.reaches("scan.pdf", store.Gone, time.Second)
	}, hours)
}

func TestWorkersAndMaxPending(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 40 * time.Second}, func(r *rig) {
		r.slowUploads(2 * time.Second)
		r.start()
		go r.dropNumbered(60)
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
		r.allFiled(6, 5*time.Minute)
		var order []string
		for _, u := range r.service.Uploads() {
			order = append(order, u.Filename[:3])
		}
		sameList(t, "order", order, "new", "new", "new", "old", "old", "old")
	}, func(c *Config) { c.Workers = 1 })
}

// A permit that was used up does not let another document be tried beside the probe.
func TestOneProbeAtATime(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 10 * time.Second}, func(r *rig) {
		quota := func(used bool) {
			state := docutraytest.AccountGood
			if used {
				state = docutraytest.AccountQuotaUsed
			}
			r.service.SetAccount(state, time.Time{})
		}
		quota(true)
		r.start()
		r.drop("first.pdf", pdf("first"), "invoice")
		r.held(store.HoldAccount, time.Second)
		quota(false)
		r.reaches("first.pdf", store.Pending, time.Minute) // it was a probe
		quota(true)
		r.drop("second.pdf", pdf("second"), "invoice")
		r.held(store.HoldAccount, time.Second)
		r.drop("third.pdf", pdf("third"), "invoice")
		quota(false)
		r.slowUploads(50 * time.Second)
		r.reaches("first.pdf", store.Filed, 20*time.Second)
		r.pass(20 * time.Second)
		same(t, "documents tried", r.counts()[store.Submitting], 1)
		r.allFiled(3, 3*time.Minute)
	})
}

// A restart must not forget how many jobs are at the service.
func TestMaxPendingAcrossRestartsAndSettings(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
		r.start()
		r.dropNumbered(30)
		r.until(time.Minute, "ten pending", func() bool { return r.service.Stats().Jobs == 10 })
		for range 5 {
			must(t, r.halt())
			r.cfg.MaxPending = 4
			r.start()
			time.Sleep(time.Second)
		}
		same(t, "jobs", r.service.Stats().Jobs, 10)
		most := 0
		r.until(time.Hour, "all filed", func() bool {
			done := len(r.names())
			if done >= 10 {
				most = max(most, r.service.Stats().Jobs-done)
			}
			return done == 30
		})
		same(t, "most jobs in flight under the new limit", most, 4)
		same(t, "jobs", r.service.Stats().Jobs, 30)
		for _, d := range r.docs() {
			same(t, "submissions", d.Submissions, 1)
		}
	}, func(c *Config) { c.MaxPending = 10 })
}
