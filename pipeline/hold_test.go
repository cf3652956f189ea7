package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// Trouble that is nobody's in the inbox fails nothing, costs no attempt, is
// shown, and passes by itself.
func TestTroubleOfServiceAndAccount(t *testing.T) {
	for name, c := range map[string]struct {
		faults docutraytest.Faults
		kind   store.HoldKind
		within time.Duration // after it has passed
	}{
		"401":        {docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, store.HoldAccount, 6 * time.Minute},
		"402":        {docutraytest.Faults{Account: docutraytest.AccountQuotaUsed}, store.HoldAccount, 6 * time.Minute},
		"403 types":  {docutraytest.Faults{Account: docutraytest.AccountNoTypes}, store.HoldAccount, 6 * time.Minute},
		"403 job":    {docutraytest.Faults{Account: docutraytest.AccountNoAccess}, store.HoldAccount, 6 * time.Minute},
		"503":        {docutraytest.Faults{Outage: docutraytest.OutageUnavailable}, store.HoldService, 6 * time.Minute},
		"connection": {docutraytest.Faults{Outage: docutraytest.OutageDrop}, store.HoldService, 6 * time.Minute},
		"5xx":        {docutraytest.Faults{FailSubmit: 1}, store.HoldService, time.Hour},
	} {
		for _, n := range []int{1, 12} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
					r.start()
					for i := range n {
						r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
					}
					r.held(c.kind, 3*time.Minute)
					time.Sleep(2 * time.Hour)
					synctest.Wait()
					r.held(c.kind, 0)
					for _, d := range r.docs() {
						if d.State.Finished() || d.Outcome != "" || d.State == store.Waiting && d.Attempts > 0 {
							t.Errorf("%s, outcome %q, attempts %d", d.State, d.Outcome, d.Attempts)
						}
					}
					if n := r.service.Stats().Requests; n > 12*150 {
						t.Errorf("%d requests in two hours", n)
					}
					r.service.SetFaults(docutraytest.Faults{})
					r.until(c.within, "all filed", func() bool { return len(r.names()) == n })
					r.held("", 0)
					same(t, "told to have gone on", r.log.count("hold ended"), 1)
					for _, d := range r.docs() {
						same(t, "attempts", d.Attempts, 1)
						if name != "5xx" { // among them are gateways that lose sight of a request
							same(t, "resubmissions", d.Resubmissions, 0)
						}
					}
				})
			})
		}
	}
}

// When a hold lifts, the documents that it had refused do not wait out their
// pauses.
func TestPausesEndWithTheHold(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{FailSubmit: 1}}, func(r *rig) {
		r.start()
		r.drop("long.pdf", pdf("long"), "invoice")
		r.until(6*time.Hour, "a long pause", func() bool {
			return time.Until(r.doc("long.pdf").RetryAt) > 30*time.Minute
		})
		r.held(store.HoldService, 0)
		r.service.SetFaults(docutraytest.Faults{})
		r.drop("new.pdf", pdf("new"), "invoice")
		r.reaches("new.pdf", store.Filed, 10*time.Second)
		r.reaches("long.pdf", store.Filed, 10*time.Second)
	})
}

func TestRequestsWithinTheServicesLimit(t *testing.T) {
	for form := docutraytest.RateFull; form <= docutraytest.RateSilent; form++ {
		bubble(t, docutraytest.Options{RateLimit: 30, RateForm: form}, func(r *rig) {
			r.start()
			for i := range 40 {
				r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
			}
			r.until(time.Hour, "all filed", func() bool { return len(r.names()) == 40 })
			st := r.service.Stats()
			refused := st.ByStatus["submit 429"] + st.ByStatus["status 429"]
			share := 4
			if form == docutraytest.RateSilent {
				share = 2 // when to ask again has to be found out
			}
			if st.Jobs != 40 || refused*share > st.Requests {
				t.Errorf("form %d: %d jobs, %d of %d requests refused", form, st.Jobs, refused, st.Requests)
			}
			for _, d := range r.docs() {
				same(t, "submitted twice", d.Resubmissions, 0)
				same(t, "refusals", d.Failures, 0)
			}
		})
	}
}

func TestOurLimitHoldsForAll(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		begun := time.Now()
		for i := range 30 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		r.until(time.Hour, "all filed", func() bool { return len(r.names()) == 30 })
		if n, most := r.service.Stats().Requests, int(time.Since(begun).Minutes()*60)+2; n > most {
			t.Errorf("%d requests in %s", n, time.Since(begun))
		}
	}, func(c *Config) { c.RequestsPerMinute = 60 })
}

// Settings that the service refuses with every document fail none of them.
func TestSettingsThatAreRefused(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && refuse(w, 400, "Validation error")
		})
		r.start()
		for i := range 12 {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		r.held(store.HoldAccount, 10*time.Second)
		time.Sleep(time.Hour)
		synctest.Wait()
		sameList(t, "moved", r.names())
		r.intercept(nil)
		r.until(time.Hour, "all filed", func() bool { return len(r.names()) == 12 })
		same(t, "failed", r.counts()[store.Failed], 0)
	})
}

// faulty makes a Mover whose operation fails while the error is not nil.
func faulty(op string) (*filing.Mover, *atomic.Pointer[syscall.Errno]) {
	var fault atomic.Pointer[syscall.Errno]
	return filing.NewMover(filing.Options{Fault: func(o string, done bool) error {
		if e := fault.Load(); e != nil && o == op && !done {
			return *e
		}
		return nil
	}}), &fault
}

func TestDiskOfTheSortedDocuments(t *testing.T) {
	for _, op := range []string{"rename", "mkdir", "write new file", "fsync new file"} {
		for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
			mover, fault := faulty(op)
			t.Run(fmt.Sprint(op, " ", errno), func(t *testing.T) {
				bubble(t, docutraytest.Options{}, func(r *rig) {
					r.start()
					fault.Store(&errno)
					r.drop("scan.pdf", pdf("x"), "invoice")
					r.held(store.HoldDisk, time.Minute)
					jobs := r.service.Stats().Jobs
					for i := range 5 {
						r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
					}
					time.Sleep(time.Hour)
					synctest.Wait()
					r.held(store.HoldDisk, 0)
					same(t, "jobs meanwhile", r.service.Stats().Jobs, jobs)
					fault.Store(nil)
					r.until(2*time.Minute, "all filed", func() bool { return len(r.names()) == 6 })
					r.held("", time.Second)
					same(t, "failed", r.counts()[store.Failed], 0)
					same(t, "jobs", r.service.Stats().Jobs, 6)
					same(t, "told", r.log.count("on hold: action required"), 1)
				}, func(c *Config) { c.Mover, c.Sidecar = mover, true })
			})
		}
	}
}

// The hold ends also where the document that met the trouble went away.
func TestDiskHoldEndsWithoutItsDocument(t *testing.T) {
	mover, fault := faulty("rename")
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		full := syscall.ENOSPC
		fault.Store(&full)
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		fault.Store(nil)
		r.held("", 2*time.Minute)
	}, func(c *Config) { c.Mover = mover })
}

func TestNameThatIsAlwaysTaken(t *testing.T) {
	mover, fault := faulty("rename")
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		exist := syscall.EEXIST
		fault.Store(&exist)
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.until(time.Minute, "a reason", func() bool { return r.doc("scan.pdf").Error != "" })
		fault.Store(nil)
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	}, func(c *Config) { c.Mover = mover })
}

func TestSortedFolderMissing(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		must(t, os.Remove(r.sorted))
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		if _, err := os.Stat(r.sorted); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the folder was made; it may be a mount point")
		}
		must(t, os.Mkdir(r.sorted, 0o755))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
		r.held("", time.Second)
	})
}

// A folder of one type that is a link keeps the documents of that type only.
func TestTypeFolderIsALink(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		away := fastDir(t)
		must(t, os.Symlink(away, filepath.Join(r.sorted, "invoice")))
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.drop("other.pdf", pdf("y"), "receipt")
		r.reaches("other.pdf", store.Filed, time.Minute)
		d := r.doc("scan.pdf")
		if d.State != store.Identified || !strings.Contains(d.Error, "link") {
			t.Errorf("%s: %q", d.State, d.Error)
		}
		r.held("", 0)
		same(t, "written through the link", len(tree(t, away)), 0)
		must(t, os.Remove(filepath.Join(r.sorted, "invoice")))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	})
}

// A hold that holds nothing any more ends: no request would find out.
func TestHoldEndsWhenNothingWaits(t *testing.T) {
	for _, account := range []docutraytest.AccountState{docutraytest.AccountKeyRevoked, docutraytest.AccountQuotaUsed} {
		bubble(t, docutraytest.Options{Faults: docutraytest.Faults{Account: account}}, func(r *rig) {
			r.start()
			r.drop("scan.pdf", pdf("x"), "invoice")
			r.held(store.HoldAccount, time.Second)
			time.Sleep(10 * time.Minute)
			r.held(store.HoldAccount, 0)
			must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
			r.service.SetAccount(docutraytest.AccountGood, time.Time{})
			r.held("", 7*time.Minute)
		})
	}
}

// Two holds that one request can be the probe of do not wait for each other: the
// key was wrong, and then the service was down, while a submission and the polls
// of jobs waited.
func TestTwoHoldsEndTogether(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 4 * time.Second}, func(r *rig) {
		r.start()
		r.drop("one.pdf", pdf("one"), "invoice")
		r.drop("two.pdf", pdf("two"), "invoice")
		time.Sleep(time.Second)
		r.service.SetFaults(docutraytest.Faults{Account: docutraytest.AccountKeyRevoked})
		r.drop("three.pdf", pdf("three"), "invoice")
		time.Sleep(3 * time.Second)
		r.service.SetFaults(docutraytest.Faults{Outage: docutraytest.OutageUnavailable})
		time.Sleep(time.Minute)
		r.service.SetFaults(docutraytest.Faults{})
		r.until(10*time.Minute, "all are filed", func() bool { return len(r.names()) == 3 })
		r.held("", time.Minute)
	})
}
