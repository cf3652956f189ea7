package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// figures are what asking cost and how late it told.
type figures struct{ lateness, polls float64 }

// stream sends documents through, at random intervals, and returns the median
// lateness as a part of the job's time, and the mean number of polls, of those
// after the first.
func (r *rig) stream(n, skip int, every time.Duration) figures {
	r.t.Helper()
	first := len(r.docs())
	draw := rand.New(rand.NewPCG(1, uint64(first)))
	for i := range n {
		r.drop(fmt.Sprintf("%d.pdf", first+i), pdf(fmt.Sprint("stream", first+i)), "invoice")
		time.Sleep(time.Duration(draw.ExpFloat64() * float64(every)))
	}
	r.until(10*time.Minute, "all filed", func() bool { return len(r.names()) == first+n })
	var late []float64
	polls := 0
	for i := first + skip; i < first+n; i++ {
		d := r.doc(fmt.Sprintf("%d.pdf", i))
		u, _ := r.service.Upload(d.JobID)
		polls += u.Polls
		seen := d.IdentifiedAt.Sub(u.At).Seconds()
		took := r.took(u.JobID).Seconds()
		late = append(late, (seen-took)/took)
	}
	slices.Sort(late)
	return figures{late[len(late)/2], float64(polls) / float64(n-skip)}
}

// took is how long a job took, from the service's own times.
func (r *rig) took(job string) time.Duration {
	r.t.Helper()
	s, err := r.cfg.Service.Status(context.Background(), job)
	must(r.t, err)
	return s.Took
}

func TestAnswersAreSeenEarlyWithFewPolls(t *testing.T) {
	for _, sigma := range []float64{0, 0.35, 0.8} {
		bubble(t, docutraytest.Options{Latency: 4 * time.Second, Sigma: sigma, Seed: 7}, func(r *rig) {
			r.start()
			f := r.stream(300, 40, 500*time.Millisecond)
			t.Logf("σ %.2f: median lateness %.1f %%, %.2f polls a job", sigma, 100*f.lateness, f.polls)
			if f.lateness > 0.11+max(0, sigma-0.35)/10 || f.polls > 3+6*max(0, sigma-0.35) {
				t.Errorf("σ %.2f: %+v", sigma, f)
			}
		})
	}
}

func TestPaceAdapts(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 2 * time.Second}, func(r *rig) {
		r.start()
		before := r.stream(60, 20, time.Second)
		r.swapLatency(20 * time.Second)
		during := r.stream(120, 80, time.Second)
		r.swapLatency(2 * time.Second)
		after := r.stream(60, 10, time.Second)
		t.Logf("2 s: %+v; 20 s: %+v; 2 s: %+v", before, during, after)
		for _, f := range []figures{before, during, after} {
			if f.lateness > 0.1 || f.polls > 6 {
				t.Errorf("%+v", f)
			}
		}
	})
}

// A slow upload says nothing about how long the job takes.
func TestAgeOfAJobBeginsWhenTheServiceHasIt(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 4 * time.Second}, func(r *rig) {
		r.start()
		r.stream(20, 0, 500*time.Millisecond)
		r.slowUploads(50 * time.Second)
		r.drop("slow.pdf", pdf("slow"), "invoice")
		r.until(10*time.Minute, "accepted", func() bool { return r.doc("slow.pdf").JobID != "" })
		d := r.reaches("slow.pdf", store.Filed, time.Minute)
		u, _ := r.service.Upload(d.JobID)
		if late := d.IdentifiedAt.Sub(u.At) - 4*time.Second; late > 2*time.Second {
			t.Errorf("seen %s late", late)
		}
	})
}

// intercept lets a test answer requests itself.
func (r *rig) intercept(f func(w http.ResponseWriter, req *http.Request) bool) {
	r.service.SetIntercept(f)
}

func (r *rig) slowUploads(by time.Duration) {
	r.intercept(func(_ http.ResponseWriter, req *http.Request) bool {
		if req.Method == http.MethodPost {
			time.Sleep(by)
		}
		return false
	})
}

func refuse(w http.ResponseWriter, status int, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
	return true
}

func TestJobThatNeverEndsIsGivenUpAfterBeingAsked(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobNever: 1}}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		time.Sleep(59 * time.Minute)
		synctest.Wait()
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

// A job that the service does not know is asked for again for a minute, and then taken
// for lost where the service answered for another job meanwhile.
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
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		r.intercept(nil)
		r.drop("lost.pdf", pdf("y"), "invoice")
		d := r.reaches("lost.pdf", store.Pending, time.Second)
		r.service.Forget(d.JobID)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		same(t, "jobs while no other poll is answered", r.service.Stats().Jobs, 2)
		r.drop("other.pdf", pdf("z"), "invoice")
		r.reaches("other.pdf", store.Filed, time.Minute)
		d = r.reaches("lost.pdf", store.Filed, 6*time.Minute)
		same(t, "attempts", d.Attempts, 2)
		same(t, "resubmissions", d.Resubmissions, 1)
	})
}

func TestUnknownStatusIsNoEnd(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		begun := time.Now()
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			if req.Method == http.MethodPost || time.Since(begun) > time.Minute {
				return false
			}
			id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"id":%q,"status":"PONDERING"}`, id)
			return true
		})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		d := r.reaches("scan.pdf", store.Filed, 3*time.Minute)
		same(t, "attempts", d.Attempts, 1)
		if took := time.Since(begun); took < time.Minute || took > 90*time.Second {
			t.Errorf("filed after %s", took)
		}
	})
}

func TestJobErrorIsTriedAgainUpToMaxAttempts(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobError: 1}}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		d := r.reaches("scan.pdf", store.Failed, time.Hour)
		same(t, "attempts", d.Attempts, 5)
		same(t, "jobs", r.service.Stats().Jobs, 5)
		same(t, "resubmissions", d.Resubmissions, 4)
		exists(t, r.sorted, "_failed/scan.pdf", "_failed/scan.pdf.error.json")
		uploads := r.service.Uploads()
		for i, u := range uploads[1:] {
			most := time.Second << i
			least := most*3/4 - time.Millisecond // the record counts in those
			if pause := u.At.Sub(uploads[i].Answered); pause < least || pause > most {
				t.Errorf("pause %d of %v, want %v to %v", i+1, pause, least, most)
			}
		}
	})
}

// A poll that always fails does not keep other jobs, and in the end it is given
// up as well.
func TestPollThatAlwaysFailsDelaysNoOther(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("bad.pdf", pdf("bad"), "invoice")
		bad := r.reaches("bad.pdf", store.Pending, time.Second).JobID
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, bad) && refuse(w, 500, "Internal server error")
		})
		for i := range 130 {
			begun := time.Now()
			name := fmt.Sprintf("%d.pdf", i)
			r.drop(name, pdf(name), "invoice")
			r.reaches(name, store.Filed, time.Minute)
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("%s took %s", name, took)
			}
			time.Sleep(30 * time.Second)
		}
		d := r.reaches("bad.pdf", store.Filed, time.Minute)
		same(t, "attempts", d.Attempts, 2)
	})
}

// An answer that is being stored, which waits for a disk, keeps no other job from
// being asked for.
func TestStoringAnAnswerTakesNoPlace(t *testing.T) {
	const jobs = 24
	var answered atomic.Int64
	var stored chan struct{}
	bubble(t, docutraytest.Options{}, func(r *rig) {
		stored = make(chan struct{})
		store := sync.OnceFunc(func() { close(stored) })
		defer store()
		r.start()
		for i := range jobs {
			name := fmt.Sprint(i, ".pdf")
			r.drop(name, pdf(name), "invoice")
		}
		r.until(time.Minute, "all answers", func() bool { return answered.Load() == jobs })
		store()
		r.until(time.Minute, "all filed", func() bool { return len(r.names()) == jobs })
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
