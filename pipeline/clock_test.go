package pipeline

import (
	"database/sql"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// setClock moves what is stored of unfinished documents as if the clock had been moved the
// other way meanwhile.
func (r *rig) setClock(by time.Duration) {
	r.t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(filepath.Dir(r.inbox), "docusort.db"))
	must(r.t, err)
	defer db.Close()
	_, err = db.Exec(`UPDATE documents SET discovered_at = discovered_at - ?1, submitted_at = submitted_at - ?1,
		retry_at = retry_at - ?1 WHERE finished_at IS NULL`, by.Milliseconds())
	must(r.t, err)
}

const year = 365 * 24 * time.Hour

// A clock that was set, by a year, is no reason to give a job up, or to pay for it again.
func TestJobSurvivesTheClock(t *testing.T) {
	each(t, []time.Duration{-year, year}, func(t *testing.T, by time.Duration) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			var finished atomic.Bool
			r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
				return !finished.Load() && strings.Contains(req.URL.Path, "/status/") && answerStatus(w, path.Base(req.URL.Path), "PROCESSING")
			})
			r.start()
			r.drop("scan.pdf", pdf("scan"), "invoice")
			r.reaches("scan.pdf", store.Pending, time.Minute)
			must(t, r.halt())
			r.setClock(by)
			r.start()
			r.pass(30 * time.Minute)
			same(t, "state", r.doc("scan.pdf").State, store.Pending)
			finished.Store(true)
			r.reaches("scan.pdf", store.Filed, time.Minute)
			same(t, "jobs", r.service.Stats().Jobs, 1)
		})
	})
}

// A pause that ends in a year, because the clock was set back, ends soon.
func TestPauseSurvivesTheClock(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && refuse(w, 500, "Internal server error")
		})
		r.start()
		r.drop("scan.pdf", pdf("scan"), "invoice")
		r.until(time.Minute, "a pause", func() bool { return !r.doc("scan.pdf").RetryAt.IsZero() })
		must(t, r.halt())
		r.setClock(-year)
		r.intercept(nil)
		r.start()
		r.reaches("scan.pdf", store.Filed, time.Hour)
	})
}
