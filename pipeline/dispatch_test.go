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

// A look at the inbox ends every pause: of what the service refused, of what
// cannot be moved, and until the next look for files that went away.
func TestLookEndsPauses(t *testing.T) {
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

// A document does not wait for an identical one whose file cannot be read now.
func TestIdenticalContentWhoseLeaderCannotBeRead(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.service.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
		r.start()
		r.drop("one.pdf", pdf("x"), "invoice")
		synctest.Wait()
		r.drop("two.pdf", pdf("x"), "invoice")
		r.held(store.HoldAccount, time.Second)
		synctest.Wait()
		r.write("one.pdf", pdf("x, and more of it, being written"), "receipt")
		r.service.SetAccount(docutraytest.AccountGood, time.Time{})
		r.p.RetryNow(bg)
		r.reaches("two.pdf", store.Filed, r.cfg.Settle)
		r.files <- "one.pdf"
		r.reaches("one.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 2)
		sameList(t, "sorted", r.names(), "invoice/two.pdf", "receipt/one.pdf")
	})
}
