package pipeline

import (
	"fmt"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// line leads to the service, which a test may replace.
type line struct {
	to atomic.Pointer[docutraytest.Server]
}

func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	return l.to.Load().Transport().RoundTrip(req)
}

func (r *rig) connect(o docutraytest.Options) {
	r.service = docutraytest.New(o)
	r.line.to.Store(r.service)
}

// swapLatency replaces the service by one that takes another time for a job, and knows no
// job.
func (r *rig) swapLatency(d time.Duration) {
	o := r.options
	o.Latency = d
	r.connect(o)
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

// answerStatus answers with the status of a job.
func answerStatus(w http.ResponseWriter, job, status string) bool {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id":%q,"status":%q}`, job, status)
	return true
}

// unfinished lets the service say of every job that it is not done, as long as
// its document is pending.
func (r *rig) unfinishedWhilePending() {
	r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
		id := path.Base(req.URL.Path)
		for _, d := range r.docs() {
			if req.Method == http.MethodGet && d.JobID == id && d.State == store.Pending && !d.AskedAgain {
				return answerStatus(w, id, "PROCESSING")
			}
		}
		return false
	})
}

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
