package pipeline

import (
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"

	"github.com/mattn/go-sqlite3"
)

// disk is that of the record, as a test wants it.
type disk struct{ trouble atomic.Pointer[diskTrouble] }

type diskTrouble struct {
	op  string // the operation that fails
	err error
}

func (d *disk) fails(op string) error {
	if t := d.trouble.Load(); t != nil && t.op == op {
		return t.err
	}
	return nil
}

// set makes an operation fail from now on; "" none.
func (d *disk) set(op string, code sqlite3.ErrNo) {
	d.trouble.Store(&diskTrouble{op, sqlite3.Error{Code: code}})
}

// A record that cannot be read for a while is waited for, as is one that cannot
// be written: nothing is submitted meanwhile, and nobody has to start it again.
func TestRecordOutOfReach(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		for _, code := range []sqlite3.ErrNo{sqlite3.ErrIoErr, sqlite3.ErrNomem, sqlite3.ErrBusy, sqlite3.ErrCantOpen} {
			t.Run(op+"/"+code.Error(), func(t *testing.T) {
				bubble(t, docutraytest.Options{}, func(r *rig) {
					r.start()
					r.drop("first.pdf", pdf("first"), "invoice")
					r.reaches("first.pdf", store.Filed, time.Minute)
					r.disk.set(op, code)
					r.drop("second.pdf", pdf("second"), "invoice")
					r.p.RetryNow(bg) // so that every loop meets it
					time.Sleep(3 * time.Hour)
					synctest.Wait()
					same(t, "submissions", r.service.Stats().Submissions, 1)
					r.goesRound() // it waits, and is alive
					if h := r.reportedHold(); h == nil || h.Kind != store.HoldDisk {
						t.Errorf("hold: %+v", h)
					}
					r.disk.set("", 0)
					r.until(3*time.Minute, "the second is filed", func() bool { return r.finished(store.Filed) == 2 })
					same(t, "submissions", r.service.Stats().Submissions, 2)
					r.held("", time.Minute)
				})
			})
		}
	}
}

// The same when the daemon starts, and takes up what an earlier one left.
func TestRecordOutOfReachAtTheStart(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.admitted("scan.pdf", pdf("scan"))
			r.submitting(1)
			r.disk.set(op, sqlite3.ErrIoErr)
			r.start()
			time.Sleep(time.Hour)
			r.goesRound()
			if h := r.reportedHold(); h == nil || h.Kind != store.HoldDisk {
				t.Errorf("hold: %+v", h)
			}
			r.disk.set("", 0)
			d := r.reaches("scan.pdf", store.Filed, 3*time.Minute)
			same(t, "resubmissions", d.Resubmissions, 1)
		})
	}
}

// A stop is a stop, whatever the disk does.
func TestStopWithRecordOutOfReach(t *testing.T) {
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

// reportedHold is what the report shows.
func (r *rig) reportedHold() *store.Hold {
	r.t.Helper()
	reader, err := store.OpenReader(bg, filepath.Join(filepath.Dir(r.inbox), "docusort.db"))
	must(r.t, err)
	defer reader.Close()
	d, err := reader.Daemon(bg)
	must(r.t, err)
	return d.Hold
}

// finished counts the documents that ended in a state.
func (r *rig) finished(s store.State) int {
	r.t.Helper()
	counts, err := r.store.Finished(bg, time.Time{})
	must(r.t, err)
	return counts[s]
}

// A damaged record ends the work: what is paid for might not be remembered.
func TestDamagedRecordEndsTheWork(t *testing.T) {
	for _, op := range []string{"read", "commit"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.drop("first.pdf", pdf("first"), "invoice")
			r.reaches("first.pdf", store.Filed, time.Minute)
			time.Sleep(time.Hour)
			r.disk.set(op, sqlite3.ErrCorrupt)
			if op == "read" {
				r.p.RetryNow(bg)
			} else {
				r.drop("second.pdf", pdf("second"), "invoice")
			}
			if err := r.wait(); !errors.Is(err, store.ErrUnusable) {
				t.Errorf("after %s: %v", op, err)
			}
			same(t, "submissions", r.service.Stats().Submissions, 1)
		})
	}
}
