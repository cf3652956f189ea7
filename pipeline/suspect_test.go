package pipeline

import (
	"fmt"
	"net/http"
	"path"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// stalled lets the service never answer about some jobs.
type stalled struct {
	mu    sync.Mutex
	jobs  map[string]bool
	asked map[string]int // all jobs
}

func (r *rig) stall() *stalled {
	s := &stalled{jobs: make(map[string]bool), asked: make(map[string]int)}
	r.intercept(func(_ http.ResponseWriter, req *http.Request) bool {
		if req.Method != http.MethodGet {
			return false
		}
		id := path.Base(req.URL.Path)
		s.mu.Lock()
		s.asked[id]++
		stall := s.jobs[id]
		s.mu.Unlock()
		if stall {
			<-req.Context().Done()
		}
		return false
	})
	return s
}

func (s *stalled) set(job string, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[job] = is
}

func (s *stalled) questions(job string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[job]
}

// dropStalled drops documents whose jobs the service never answers about.
func (r *rig) dropStalled(s *stalled, n int) (jobs []string) {
	for i := range n {
		name := fmt.Sprint("stalled", i, ".pdf")
		r.drop(name, pdf(name), "invoice")
	}
	for i := range n {
		r.until(time.Second, "a job", func() bool { return r.doc(fmt.Sprint("stalled", i, ".pdf")).JobID != "" })
		jobs = append(jobs, r.doc(fmt.Sprint("stalled", i, ".pdf")).JobID)
		s.set(jobs[i], true)
	}
	return jobs
}

// Questions that are not answered keep no other job from being asked for, neither
// when they are asked for the first time nor later, and do not starve each other.
func TestStalledPollsDelayNoOther(t *testing.T) {
	const latency = 3 * time.Second
	bubble(t, docutraytest.Options{Latency: latency}, func(r *rig) {
		s := r.stall()
		r.start()
		jobs := r.dropStalled(s, 20)
		for i := range 100 {
			name := fmt.Sprint(i, ".pdf")
			r.drop(name, pdf(name), "invoice")
			d := r.reaches(name, store.Filed, time.Minute)
			u, _ := r.service.Upload(d.JobID)
			// Twice what the intervals between questions grow to by then.
			if late := d.IdentifiedAt.Sub(u.At) - latency; late > 2*time.Second {
				t.Errorf("document %d: answer seen %s late", i, late)
			}
			time.Sleep(7 * time.Second)
		}
		least, most := 1000, 0
		for _, job := range jobs {
			least, most = min(least, s.questions(job)), max(most, s.questions(job))
		}
		t.Logf("stalled jobs were asked for %d to %d times in 20 min", least, most)
		if least < 5 || most > least+3 {
			t.Errorf("stalled jobs were asked for %d to %d times", least, most)
		}
		for _, job := range jobs {
			s.set(job, false)
		}
		r.until(5*time.Minute, "all filed", func() bool { return len(r.names()) == 120 })
		same(t, "jobs", r.service.Stats().Jobs, 120)
	})
}

// The healthy job need not be new, and need not be among many: nothing else tells
// that the service answers at all.
func TestStalledPollsDelayNoJobThatIsThere(t *testing.T) {
	const latency = 20 * time.Minute
	bubble(t, docutraytest.Options{Latency: latency}, func(r *rig) {
		s := r.stall()
		r.start()
		r.drop("good.pdf", pdf("good"), "invoice")
		r.dropStalled(s, 20)
		d := r.reaches("good.pdf", store.Filed, time.Hour)
		u, _ := r.service.Upload(d.JobID)
		if late := d.IdentifiedAt.Sub(u.At) - latency; late > r.cfg.PollMax+time.Second {
			t.Errorf("answer seen %s late", late)
		}
		if n := s.questions(d.JobID); n < 40 {
			t.Errorf("asked for %d times", n)
		}
		// A new one need not wait until the others were found out about.
		begun := time.Now()
		r.drop("new.pdf", pdf("new"), "invoice")
		r.until(time.Minute, "a job", func() bool { return r.doc("new.pdf").JobID != "" })
		if took := time.Since(begun); took > time.Second {
			t.Errorf("submitted after %s", took)
		}
	})
}

// A job that is answered again is asked for like any other.
func TestStalledJobThatRecovers(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 20 * time.Minute}, func(r *rig) {
		s := r.stall()
		r.start()
		r.drop("good.pdf", pdf("good"), "invoice") // which shows that the service is there
		jobs := r.dropStalled(s, 12)
		time.Sleep(4 * time.Minute)
		s.set(jobs[0], false)
		before := s.questions(jobs[0])
		r.until(3*time.Minute, "asked again", func() bool { return s.questions(jobs[0]) > before })
		before = s.questions(jobs[0])
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := s.questions(jobs[0]) - before; n < 3 {
			t.Errorf("asked for %d times in two minutes", n)
		}
	})
}
