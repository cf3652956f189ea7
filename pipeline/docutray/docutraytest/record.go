package docutraytest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Upload is a submission that became a job.
type Upload struct {
	JobID       string
	At          time.Time     // when the job was made
	Took        time.Duration // how long the job takes from then on
	SHA256      string        // of the file, in hex
	Size        int64         // in bytes
	Filename    string
	ContentType string
	Types       []string        // the options
	Metadata    json.RawMessage // nil if there was none
	Result      Result          // what the document is
	Polls       int             // how often the job was polled
}

// Stats are counts since the start.
type Stats struct {
	// Requests are all requests to the API. Submissions and Polls are those to
	// the two endpoints, whatever their outcome.
	Requests    int `json:"requests"`
	Submissions int `json:"submissions"`
	Polls       int `json:"polls"`
	// Complete are submissions whose body arrived complete, Jobs those that
	// became a job.
	Complete int `json:"complete_uploads"`
	Jobs     int `json:"jobs"`
	// Dropped are requests without an answer.
	Dropped int `json:"dropped"`
	// Refused are requests answered 429.
	Refused int `json:"refused"`
	// MaxUploading is the largest number of concurrent submissions.
	MaxUploading int `json:"max_uploading"`
	// ByStatus counts answers by endpoint and status, such as "submit 202".
	ByStatus map[string]int `json:"by_status"`
	// CompleteBySHA256 and JobsBySHA256 count by the file's hash.
	CompleteBySHA256 map[string]int `json:"complete_by_sha256,omitempty"`
	JobsBySHA256     map[string]int `json:"jobs_by_sha256,omitempty"`
}

// record is what the stand-in was asked, and its jobs.
type record struct {
	mu        sync.Mutex
	counts    Stats
	uploading int
	list      []*job // in the order in which they were made
	jobs      map[string]*job
}

func newRecord() *record {
	return &record{jobs: map[string]*job{},
		counts: Stats{ByStatus: map[string]int{}, CompleteBySHA256: map[string]int{}, JobsBySHA256: map[string]int{}}}
}

// Stats returns a copy of the counts.
func (s *Server) Stats() Stats {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	st := s.record.counts
	st.ByStatus, st.CompleteBySHA256, st.JobsBySHA256 = maps.Clone(st.ByStatus), maps.Clone(st.CompleteBySHA256), maps.Clone(st.JobsBySHA256)
	return st
}

// Uploads returns copies of all uploads, in the order of their jobs.
func (s *Server) Uploads() []Upload {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	list := make([]Upload, len(s.record.list))
	for i, j := range s.record.list {
		list[i] = *j.upload
	}
	return list
}

// Upload returns the upload of a job.
func (s *Server) Upload(jobID string) (Upload, bool) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	if j := s.record.jobs[jobID]; j != nil {
		return *j.upload, true
	}
	return Upload{}, false
}

// Forget makes the service lose a job: later polls find nothing.
func (s *Server) Forget(jobID string) {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	if j := s.record.jobs[jobID]; j != nil {
		j.fate = forgotten
	}
}

// add stores a job.
func (r *record) add(j *job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list, r.jobs[j.upload.JobID] = append(r.list, j), j
	r.counts.Jobs++
	r.counts.JobsBySHA256[j.upload.SHA256]++
}

// poll counts a poll of a job and returns the answer, and how old the job is. The
// answer is nil if the service does not know the job.
func (r *record) poll(id string, now time.Time) (answer object, age time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.jobs[id]
	if j == nil {
		return nil, 0
	}
	u := j.upload
	u.Polls++
	if j.fate != forgotten {
		answer = j.answer(now)
	}
	return answer, now.Sub(u.At)
}

// arrived counts a request.
func (r *record) arrived(endpoint string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.counts
	c.Requests++
	switch endpoint {
	case endpointSubmit:
		c.Submissions++
		r.uploading++
		c.MaxUploading = max(c.MaxUploading, r.uploading)
	case endpointStatus:
		c.Polls++
	}
}

// answered counts an answer. Status 0 means that there was none.
func (r *record) answered(endpoint string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if endpoint == endpointSubmit {
		r.uploading--
	}
	switch status {
	case 0:
		r.counts.Dropped++
		return
	case http.StatusTooManyRequests:
		r.counts.Refused++
	}
	r.counts.ByStatus[endpoint+" "+strconv.Itoa(status)]++
}

// bodyComplete counts a body that arrived complete.
func (r *record) bodyComplete(sha256 string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Complete++
	r.counts.CompleteBySHA256[sha256]++
}
