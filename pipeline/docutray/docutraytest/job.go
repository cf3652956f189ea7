package docutraytest

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// fate is how a job ends.
type fate int

const (
	identified fate = iota
	failing
	endless
	forgotten
)

// job is one identification. Its state follows from its age.
type job struct {
	upload *Upload
	fate   fate
}

// newJobID makes an id in the service's manner. It comes from no seed, so that
// a stand-in started again never answers for jobs of the one before.
func newJobID() string { return "c" + strings.ToLower(rand.Text())[:24] }

// makeJob stores a job for the upload, which has its id from here on.
func (s *Server) makeJob(u *Upload, f Faults, d *mathrand.Rand) {
	u.JobID, u.At = newJobID(), time.Now()
	u.Took = s.latency.Load().draw(d)
	j := &job{upload: u}
	switch {
	case chance(d, f.JobError):
		j.fate = failing
	case chance(d, f.JobNever):
		j.fate = endless
	case chance(d, f.JobForget):
		j.fate = forgotten
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[u.JobID] = j
	s.uploads = append(s.uploads, u)
	s.stats.Jobs++
	s.made[u.SHA256]++
}

// state is what the service says of a job of that age.
func (j *job) state(age time.Duration) string {
	switch took := j.upload.Took; {
	case age < took/5:
		return "ENQUEUED"
	case age < took || j.fate == endless:
		return "PROCESSING"
	case j.fate == failing:
		return "ERROR"
	}
	return "SUCCESS"
}

// over says whether a poll is told that the job has ended.
func (j *job) over(now time.Time) bool {
	return (j.fate == identified || j.fate == failing) && now.Sub(j.upload.At) >= j.upload.Took
}

// timestampLayout is the form of the service's times.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// serveStatus answers a poll.
func (s *Server) serveStatus(w http.ResponseWriter, id string, f Faults, d *mathrand.Rand) {
	if chance(d, f.DropPoll) {
		drop()
	}
	if chance(d, f.FailPoll) {
		s.failAtRandom(w, d)
		return
	}
	if f.Account == AccountNoAccess {
		s.fail(w, d, http.StatusForbidden, "You do not have access to this identification")
		return
	}
	now := time.Now()
	s.mu.Lock()
	j, ok := s.jobs[id]
	var u Upload
	if ok {
		j.upload.Polls++
		if j.over(now) && j.upload.Answered.IsZero() {
			j.upload.Answered = now
		}
		u, ok = *j.upload, j.fate != forgotten
	}
	s.mu.Unlock()
	if !ok {
		s.fail(w, d, http.StatusNotFound, "Identification not found")
		return
	}
	s.succeed(w, f, d, http.StatusOK, j.answer(u, now))
}

// answer is the body of the answer to a poll.
func (j *job) answer(u Upload, now time.Time) map[string]any {
	state := j.state(now.Sub(u.At))
	body := map[string]any{
		"id": u.JobID, "status": state, "document_type_code_options": u.Types,
		"request_timestamp": u.At.UTC().Format(timestampLayout), "original_filename": u.Filename,
	}
	if state == "SUCCESS" || state == "ERROR" {
		body["response_timestamp"] = u.At.Add(u.Took).UTC().Format(timestampLayout)
	}
	switch state {
	case "SUCCESS":
		body["document_type"] = u.Result.Type
		body["alternatives"] = u.Result.Alternatives
	case "ERROR":
		body["error"] = "Identification failed (a fault of the stand-in)"
	}
	return body
}
