package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// figures are the median lateness of answers and the mean number of polls.
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
	r.allFiled(first+n, 10*time.Minute)
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

func TestPollsAdaptToTheService(t *testing.T) {
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
func TestAgeOfAJobBeginsAfterItsUpload(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 4 * time.Second}, func(r *rig) {
		r.start()
		r.stream(20, 0, 500*time.Millisecond)
		r.slowUploads(50 * time.Second)
		r.drop("slow.pdf", pdf("slow"), "invoice")
		r.until(10*time.Minute, "accepted", func() bool { return r.doc("slow.pdf").JobID != "" })
		d := r.reaches("slow.pdf", store.Filed, time.Minute)
		between(t, "answer late", r.late(d, 4*time.Second), 0, 2*time.Second)
	})
}
