package pipeline

import (
	"fmt"
	"net/http"
	"path"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// unfinished lets the service say of every job that it is not done, as long as
// its document is pending.
func (r *rig) unfinishedWhilePending() {
	r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
		id := path.Base(req.URL.Path)
		for _, d := range r.docs() {
			if req.Method == http.MethodGet && d.JobID == id && d.State == store.Pending && !d.AskedAgain {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"id":%q,"status":"PROCESSING"}`, id)
				return true
			}
		}
		return false
	})
}

// A job that was given up is asked for once more before another one is paid for.
func TestJobThatWasGivenUpIsAskedForOnceMore(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.unfinishedWhilePending()
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Pending, time.Second)
		r.drop("equal.pdf", pdf("x"), "invoice")
		d := r.reaches("scan.pdf", store.Filed, 2*time.Hour)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		same(t, "submissions", d.Submissions, 1)
		same(t, "open", d.JobAbandoned, false)
		if d.IdentifiedAt.Sub(d.SubmittedAt) < time.Hour {
			t.Error("the job was not given up")
		}
		r.reaches("equal.pdf", store.Filed, time.Second)
		r.intercept(nil)
		r.drop("next.pdf", pdf("next"), "invoice") // there is one place
		r.reaches("next.pdf", store.Filed, time.Minute)
	}, func(c *Config) { c.MaxPending = 1 })
}

// Also where the service is down at that moment, for long.
func TestJobThatWasGivenUpIsAskedForAfterAnOutage(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.unfinishedWhilePending()
		r.start()
		for i := range 3 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		r.until(90*time.Second, "given up", func() bool { return r.log.count("job ended without an answer; will submit again") == 3 })
		r.service.SetOutage(docutraytest.OutageDrop)
		time.Sleep(3 * time.Hour)
		r.service.SetOutage("")
		r.until(2*time.Hour, "all filed", func() bool { return len(r.names()) == 3 })
		same(t, "jobs", r.service.Stats().Jobs, 3)
	}, func(c *Config) { c.PollMax, c.JobTimeout = 500*time.Millisecond, time.Minute })
}
