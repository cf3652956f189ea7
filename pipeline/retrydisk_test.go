package pipeline

import (
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// While the database cannot be read or written, nothing is submitted and no restart is
// needed.
func TestDatabaseThatFails(t *testing.T) {
	each(t, []string{"read", "commit"}, func(t *testing.T, op string) {
		each(t, []sqlite3.ErrNo{sqlite3.ErrIoErr, sqlite3.ErrNomem, sqlite3.ErrBusy, sqlite3.ErrCantOpen}, func(t *testing.T, code sqlite3.ErrNo) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				r.file("first.pdf", pdf("first"), "invoice")
				r.disk.set(op, code)
				r.drop("second.pdf", pdf("second"), "invoice")
				r.p.RetryNow(bg) // so that every loop meets it
				r.pass(3 * time.Hour)
				same(t, "submissions", r.service.Stats().Submissions, 1)
				r.alive() // it waits, and is alive
				same(t, "hold", r.reportedHold(), store.HoldDisk)
				r.disk.set("", 0)
				r.until(3*time.Minute, "the second is filed", func() bool { return r.counts()[store.Filed] == 2 })
				same(t, "submissions", r.service.Stats().Submissions, 2)
				r.held("", time.Minute)
			})
		})
	})
}

// The same at the start.
func TestDatabaseThatFailsAtTheStart(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.admitted("scan.pdf", pdf("scan"))
			r.submitting(1)
			r.disk.set(op, sqlite3.ErrIoErr)
			r.start()
			time.Sleep(time.Hour)
			r.alive()
			same(t, "hold", r.reportedHold(), store.HoldDisk)
			r.disk.set("", 0)
			d := r.reaches("scan.pdf", store.Filed, 3*time.Minute)
			same(t, "resubmissions", d.Resubmissions, 1)
		})
	}
}

// A stop is a stop, whatever the disk does.
func TestStopWhileTheDatabaseFails(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.drop("first.pdf", pdf("first"), "invoice")
			r.reaches("first.pdf", store.Pending, time.Minute)
			r.disk.set(op, sqlite3.ErrIoErr)
			r.drop("second.pdf", pdf("second"), "invoice")
			time.Sleep(time.Hour)
			must(t, r.halt())
		})
	}
}

// A damaged database ends Run: it might not remember what is paid for.
func TestDamagedDatabaseEndsRun(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.file("first.pdf", pdf("first"), "invoice")
			time.Sleep(time.Hour)
			r.disk.set(op, sqlite3.ErrCorrupt)
			if op == "read" {
				r.p.RetryNow(bg)
			} else {
				r.drop("second.pdf", pdf("second"), "invoice")
			}
			is(t, "Run", r.wait(), store.ErrUnusable)
			same(t, "submissions", r.service.Stats().Submissions, 1)
		})
	}
}

// While the disk of the database is full, nothing is submitted and nothing fails, and no
// job is lost. Work continues by itself.
func TestFullDiskOfTheDatabase(t *testing.T) {
	base := fastDir(t)
	small(t, base, "size=2m")
	bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
		r.slowUploads(2 * time.Second)
		r.start()
		r.drop("first.pdf", pdf("first"), "invoice")
		r.pass(time.Second)
		free := fill(t, base)
		r.pass(10 * time.Second) // the job is made, and cannot be stored
		same(t, "jobs", r.service.Stats().Jobs, 1)
		r.held(store.HoldDisk, 0)
		r.pass(3 * time.Hour)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		free()
		d := r.reaches("first.pdf", store.Filed, 3*time.Minute)
		r.drop("second.pdf", pdf("second"), "invoice")
		r.reaches("second.pdf", store.Filed, 3*time.Minute)
		r.held("", time.Second)
		same(t, "submissions", d.Submissions, 1)
		same(t, "jobs", r.service.Stats().Jobs, 2)
		sameList(t, "sorted", r.names(), "invoice/first.pdf", "invoice/second.pdf")
	})
}
