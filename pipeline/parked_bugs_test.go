package pipeline

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"

	"github.com/mattn/go-sqlite3"
)

// A job that was parked by an earlier run is polled by one goroutine.
func TestParkedJobOfAnEarlierRunIsPolledOnce(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.admitted("scan.pdf", pdf("x"))
		r.submitting(1)
		r.accepted(1, "job")
		must(t, r.store.PollLater(bg, 1, "no answer", time.Now(), 1))
		var now, most atomic.Int64
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			if !strings.HasSuffix(req.URL.Path, "/job") {
				return false
			}
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return answerProcessing(w, "job")
		})
		r.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "polls at a time", most.Load(), 1)
	})
}

// answerProcessing answers that a job is not done.
func answerProcessing(w http.ResponseWriter, job string) bool {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id":%q,"status":"PROCESSING"}`, job)
	return true
}

// Parked jobs that the service works on for long do not keep the others from being
// polled.
func TestParkedJobsThatTakeLongDelayNoOther(t *testing.T) {
	const long, short = 2 * parkedPlaces, 4
	bubble(t, docutraytest.Options{}, func(r *rig) {
		var healed atomic.Bool
		slow := make(map[string]bool)
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			job := path.Base(req.URL.Path)
			switch {
			case req.Method == http.MethodPost || !strings.Contains(req.URL.Path, "status"):
				return false
			case !healed.Load():
				return refuse(w, 500, "Internal server error")
			}
			return slow[job] && answerProcessing(w, job)
		})
		r.start()
		for i := range long + short {
			r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
		}
		parked := func(d store.Document) bool { return d.State == store.Pending && !d.RetryAt.IsZero() }
		r.until(10*time.Minute, "all parked", func() bool {
			for i := range long + short {
				if !parked(r.doc(fmt.Sprint(i, ".pdf"))) {
					return false
				}
			}
			return true
		})
		for i := range long {
			slow[r.doc(fmt.Sprint(i, ".pdf")).JobID] = true
		}
		healed.Store(true)
		r.until(15*time.Minute, "the others filed", func() bool { return len(r.names()) == short })
		same(t, "jobs", r.service.Stats().Jobs, long+short)
	})
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
		time.Sleep(20 * time.Second)
		synctest.Wait()
		same(t, "documents tried", r.counts()[store.Submitting], 1)
		r.until(3*time.Minute, "all filed", func() bool { return len(r.names()) == 3 })
	})
}

// Trouble of a job is forgotten with its document.
func TestTroubleOfAJobEndsWithItsDocument(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.Contains(req.URL.Path, "status") && refuse(w, 500, "Internal server error")
		})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldService, 3*time.Minute)
		r.drop("scan.pdf", "nothing that needs the service", "")
		r.reaches("scan.pdf", store.Failed, time.Minute)
		r.held("", 10*time.Minute)
	})
}

// A hold of the disk ends once nobody waits for the disk, whatever other documents meet.
func TestDiskHoldEndsBesideATroubledDocument(t *testing.T) {
	mover, fault := faulty("rename")
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.Symlink("/nowhere", filepath.Join(r.sorted, "receipt")))
		r.start()
		r.drop("link.pdf", pdf("link"), "receipt")
		r.until(time.Minute, "a reason", func() bool { return r.doc("link.pdf").Error != "" })
		full := syscall.ENOSPC
		fault.Store(&full)
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		fault.Store(nil)
		r.held("", 5*time.Minute)
		r.drop("next.pdf", pdf("next"), "invoice")
		r.reaches("next.pdf", store.Filed, time.Minute)
	}, func(c *Config) { c.Mover = mover })
}

// What makes it impossible to go on ends the work, also while jobs are under way.
func TestErrorEndsTheWorkAtOnce(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 30 * time.Minute}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Pending, time.Minute)
		r.disk.set("read", sqlite3.ErrConstraint)
		r.p.dispatchNow.wake()
		begun := time.Now()
		if err := r.wait(); err == nil || !strings.Contains(err.Error(), "dispatch") {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("after %s", took)
		}
	})
}

// Where documents go away, one that waited for them is submitted at once.
func TestIdenticalContentWhoseLeadersGoDuringAPause(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobError: 1}}, func(r *rig) {
		r.start()
		names := []string{"0.pdf", "1.pdf", "2.pdf", "3.pdf"}
		for _, name := range names {
			r.drop(name, pdf("x"), "invoice")
		}
		r.until(time.Hour, "a long pause", func() bool {
			for _, name := range names {
				if time.Until(r.doc(name).RetryAt) > 5*time.Second {
					return true
				}
			}
			return false
		})
		for _, name := range names {
			if d := r.doc(name); d.State == store.Waiting && d.Phase == store.PhaseReady {
				must(t, os.Remove(filepath.Join(r.inbox, name)))
			}
		}
		jobs := r.service.Stats().Jobs
		r.p.sweepNow.wake()
		r.until(time.Second, "submitted", func() bool { return r.service.Stats().Jobs > jobs })
	}, func(c *Config) { c.MaxAttempts = 100 })
}
