package docutraytest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Upload is a submission whose body arrived whole and for which a job was made.
type Upload struct {
	JobID       string
	Arrived     time.Time     // when its request began to be served
	At          time.Time     // when its job was made
	Took        time.Duration // how long the job takes from then on
	Answered    time.Time     // when the job's end was first told; zero: not yet
	SHA256      string        // of the file, in hex
	Size        int64         // in bytes
	Filename    string
	ContentType string
	Types       []string        // the options
	Metadata    json.RawMessage // nil if there was none
	Result      Result          // what the document is, by the stand-in's rules
	Polls       int             // how often its job was asked for
}

// Stats are counts since the start.
type Stats struct {
	// Requests are all requests to the API, Submissions and Polls those to the
	// two endpoints, whatever became of them.
	Requests    int `json:"requests"`
	Submissions int `json:"submissions"`
	Polls       int `json:"polls"`
	// Complete are submissions whose body arrived whole, Jobs those that
	// became a job.
	Complete int `json:"complete_uploads"`
	Jobs     int `json:"jobs"`
	// Dropped are requests that got no answer.
	Dropped int `json:"dropped"`
	// Refused are requests answered 429.
	Refused int `json:"refused"`
	// FirstRequest, FirstSubmission and LastSubmission are when requests
	// arrived; zero: none did.
	FirstRequest    time.Time `json:"first_request,omitzero"`
	FirstSubmission time.Time `json:"first_submission,omitzero"`
	LastSubmission  time.Time `json:"last_submission,omitzero"`
	// RateWindows are the newest windows of the rate limit, the oldest first; a
	// window begins with the first request after the one before it has ended.
	RateWindows []RateWindow `json:"rate_windows,omitempty"`
	// MaxUploading is the largest number of submissions under way at a time.
	MaxUploading int `json:"max_uploading"`
	// ByStatus counts answers by endpoint and status, such as "submit 202".
	ByStatus map[string]int `json:"by_status"`
	// CompleteBySHA256 and JobsBySHA256 count by the file's hash.
	CompleteBySHA256 map[string]int `json:"complete_by_sha256,omitempty"`
	JobsBySHA256     map[string]int `json:"jobs_by_sha256,omitempty"`
}

// Stats returns a copy of the counts.
func (s *Server) Stats() Stats {
	st := s.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	st.CompleteBySHA256 = maps.Clone(s.complete)
	st.JobsBySHA256 = maps.Clone(s.made)
	return st
}

// counts returns the counts without those by hash, which grow with the number
// of documents.
func (s *Server) counts() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.ByStatus = maps.Clone(st.ByStatus)
	st.RateWindows = slices.Clone(s.windows)
	return st
}

// Uploads returns copies of all uploads, in the order of their jobs.
func (s *Server) Uploads() []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Upload, len(s.uploads))
	for i, u := range s.uploads {
		list[i] = *u
	}
	return list
}

// Upload returns the upload that became the job.
func (s *Server) Upload(jobID string) (Upload, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[jobID]
	if !ok {
		return Upload{}, false
	}
	return *j.upload, true
}

// Forget lets the service lose a job: each later poll finds nothing.
func (s *Server) Forget(jobID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j, ok := s.jobs[jobID]; ok {
		j.fate = forgotten
	}
}

// arrived counts a request.
func (s *Server) arrived(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.stats.Requests++; s.stats.FirstRequest.IsZero() {
		s.stats.FirstRequest = now
	}
	switch endpoint {
	case EndpointSubmit:
		if s.stats.LastSubmission = now; s.stats.FirstSubmission.IsZero() {
			s.stats.FirstSubmission = now
		}
		s.stats.Submissions++
		s.uploading++
		s.stats.MaxUploading = max(s.stats.MaxUploading, s.uploading)
	case EndpointStatus:
		s.stats.Polls++
	}
}

// answered counts an answer, or with status 0 that there was none.
func (s *Server) answered(endpoint string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if endpoint == EndpointSubmit {
		s.uploading--
	}
	if status == 0 {
		s.stats.Dropped++
		return
	}
	if status == http.StatusTooManyRequests {
		s.stats.Refused++
	}
	s.stats.ByStatus[endpoint+" "+strconv.Itoa(status)]++
}

// arrivedWhole counts a body that arrived whole.
func (s *Server) arrivedWhole(sha256 string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Complete++
	s.complete[sha256]++
}
