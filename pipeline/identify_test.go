package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

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

func TestIdenticalContentIsNotSubmittedAgain(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		first := r.file("one.pdf", pdf("x"), "invoice")
		begun := time.Now()
		r.drop("two.pdf", pdf("x"), "invoice")
		d := r.reaches("two.pdf", store.Filed, time.Second)
		same(t, "took", time.Since(begun) < time.Second, true)
		same(t, "reused", d.Reused, true)
		same(t, "submissions", d.Submissions, 0)
		same(t, "confidence", d.Confidence, first.Confidence)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		sameList(t, "sorted", r.names(), "invoice/one.pdf", "invoice/two.pdf")
	})
}

func TestIdenticalContentInFlightIsWaitedFor(t *testing.T) {
	each(t, stages, func(t *testing.T, stage store.State) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.at(stage, func() {
				r.drop("two.pdf", pdf("old"), "invoice")
				r.drop("three.pdf", pdf("old"), "invoice")
			})
			for _, n := range []string{"scan.pdf", "two.pdf", "three.pdf"} {
				r.reaches(n, store.Filed, time.Minute)
			}
			same(t, "jobs", r.service.Stats().Jobs, 1)
			if stage != store.Waiting { // else any of them may be the first
				same(t, "submissions", r.doc("two.pdf").Submissions, 0)
			}
		})
	})
}

// Where it goes away, one of the others takes its place.
func TestIdenticalContentWhoseLeaderGoes(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.at(store.Waiting, func() {
			r.drop("two.pdf", pdf("old"), "invoice")
			r.drop("three.pdf", pdf("old"), "invoice")
			must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		})
		r.reaches("two.pdf", store.Filed, 2*time.Minute)
		r.reaches("three.pdf", store.Filed, 2*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		same(t, "the first", r.doc("scan.pdf").State, store.Gone)
	})
}

// Also where other content takes its place that needs no request itself.
func TestIdenticalContentWhoseLeaderIsReplaced(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.file("known.pdf", pdf("known"), "receipt")
		must(t, r.halt())
		r.at(store.Pending, func() {
			r.drop("two.pdf", pdf("old"), "invoice")
			r.drop("scan.pdf", pdf("known"), "receipt")
		})
		r.reaches("two.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 2)
	})
}

// An answer is good for a while, and for the same choice of types only.
func TestAnswerThatIsNotReused(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.ReuseResults = 0 },
		func(c *Config) { c.ReuseResults = time.Hour },
		func(c *Config) { c.DocumentTypes = []string{"invoice", "letter"} },
	} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.file("one.pdf", pdf("x"), "invoice")
			time.Sleep(2 * time.Hour)
			must(t, r.halt())
			change(&r.cfg)
			r.start()
			r.file("two.pdf", pdf("x"), "invoice")
			same(t, "jobs", r.service.Stats().Jobs, 2)
		})
	}
}

// A document whose file is missed because an answer for identical content has decided
// about it, and it was moved, is not gone.
func TestFileThatWasMovedByAnotherAnswerIsNotGone(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.admitted("one.pdf", pdf("x"))
		r.admitted("two.pdf", pdf("x"))
		seen := r.doc("two.pdf")
		r.answered(1, "contract")
		p := New(r.cfg)
		is(t, "marked as gone", p.markGone(bg, &seen, "removed from the inbox"), store.ErrStale)
		same(t, "state", r.doc("two.pdf").State, store.Identified)
	})
}
