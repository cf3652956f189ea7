package pipeline

import (
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestJobThatNeverEndsIsGivenUpAfterBeingAsked(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobNever: 1}}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.pass(59 * time.Minute)
		same(t, "jobs before the timeout", r.service.Stats().Jobs, 1)
		r.service.SetFaults(docutraytest.Faults{})
		d := r.reaches("scan.pdf", store.Filed, 5*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 2)
		same(t, "attempts", d.Attempts, 2)
		same(t, "resubmissions", d.Resubmissions, 1)
	})
	// After a long stop the answer may be there: the age alone decides nothing.
	bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Pending, time.Second)
		must(t, r.halt())
		time.Sleep(72 * time.Hour)
		r.start()
		r.reaches("scan.pdf", store.Filed, time.Second)
		same(t, "jobs", r.service.Stats().Jobs, 1)
	})
	// Nor does an outage that lasts longer than a job may.
	bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Pending, time.Second)
		for _, f := range []docutraytest.Faults{
			{Outage: docutraytest.OutageDrop}, {Outage: docutraytest.OutageUnavailable},
			{Account: docutraytest.AccountKeyRevoked}, {Account: docutraytest.AccountNoAccess},
		} {
			r.service.SetFaults(f)
			time.Sleep(3 * time.Hour)
			same(t, "attempts", r.doc("scan.pdf").Attempts, 1)
			if r.hold() == nil {
				t.Errorf("%+v: no hold", f)
			}
		}
		r.service.SetFaults(docutraytest.Faults{})
		r.reaches("scan.pdf", store.Filed, 6*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 1)
	})
}

// A job that the service does not know is polled for another minute, and taken for lost
// where the poll of another job was answered meanwhile.
func TestJobIsLostAfterAMinute(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		asked := 0
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPost {
				return false
			}
			asked++
			return asked == 1 && refuse(w, 404, "Identification not found")
		})
		r.start()
		r.file("scan.pdf", pdf("x"), "invoice")
		same(t, "jobs", r.service.Stats().Jobs, 1)
		r.intercept(nil)
		r.drop("lost.pdf", pdf("y"), "invoice")
		d := r.reaches("lost.pdf", store.Pending, time.Second)
		r.service.Forget(d.JobID)
		r.pass(10 * time.Minute)
		same(t, "jobs while no other poll is answered", r.service.Stats().Jobs, 2)
		r.file("other.pdf", pdf("z"), "invoice")
		d = r.reaches("lost.pdf", store.Filed, 6*time.Minute)
		same(t, "attempts", d.Attempts, 2)
		same(t, "resubmissions", d.Resubmissions, 1)
	})
}

func TestUnknownStatusDoesNotEndAJob(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		begun := time.Now()
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPost || time.Since(begun) > time.Minute {
				return false
			}
			return answerStatus(w, path.Base(req.URL.Path), "PONDERING")
		})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		d := r.reaches("scan.pdf", store.Filed, 3*time.Minute)
		same(t, "attempts", d.Attempts, 1)
		between(t, "took", time.Since(begun), time.Minute, 90*time.Second)
	})
}

func TestJobErrorIsTriedAgainUpToMaxAttempts(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobError: 1}}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		d := r.reaches("scan.pdf", store.Failed, 3*time.Hour)
		same(t, "attempts", d.Attempts, 5)
		same(t, "jobs", r.service.Stats().Jobs, 5)
		same(t, "resubmissions", d.Resubmissions, 4)
		exists(t, r.sorted, "_failed/scan.pdf", "_failed/scan.pdf.error.json")
		uploads := r.service.Uploads()
		for i, u := range uploads[1:] {
			pause := []time.Duration{2 * time.Minute, 8 * time.Minute, 32 * time.Minute, time.Hour}[i]
			asked := []time.Duration{10 * time.Second, 40 * time.Second, time.Minute, time.Minute}[i] // once more, before
			between(t, "pause", u.At.Sub(uploads[i].At), pause, pause+asked+5*time.Second)
		}
	})
}

// An answer whose storing waits for a disk keeps no other job from being polled.
func TestStoringAnAnswerTakesNoPlace(t *testing.T) {
	const jobs = 24
	var answered atomic.Int64
	var stored chan struct{}
	bubble(t, docutraytest.Options{}, func(r *rig) {
		stored = make(chan struct{})
		store := sync.OnceFunc(func() { close(stored) })
		defer store()
		r.start()
		r.dropNumbered(jobs)
		r.until(time.Minute, "all answers", func() bool { return answered.Load() == jobs })
		store()
		r.allFiled(jobs, time.Minute)
	}, func(c *Config) {
		c.MaxPending = 2 * jobs
		c.OnStep = func(s Step) {
			if s == Answered {
				answered.Add(1)
				<-stored
			}
		}
	})
}

// A job that was given up is polled once more before another one is paid for.
func TestJobThatWasGivenUpIsPolledOnceMore(t *testing.T) {
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
func TestJobThatWasGivenUpIsPolledAfterAnOutage(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.unfinishedWhilePending()
		r.start()
		r.dropNumbered(3)
		r.until(90*time.Second, "given up", func() bool { return r.log.count("job ended without an answer; will submit again") == 3 })
		r.service.SetOutage(docutraytest.OutageDrop)
		time.Sleep(3 * time.Hour)
		r.service.SetOutage("")
		r.allFiled(3, 2*time.Hour)
		same(t, "jobs", r.service.Stats().Jobs, 3)
	}, func(c *Config) { c.PollMax, c.JobTimeout = 500*time.Millisecond, time.Minute })
}
