package docutraytest

import (
	"crypto/rand"
	"errors"
	"math"
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
	untyped
)

// job is one identification. Its state follows from its age.
type job struct {
	upload *Upload
	fate   fate
}

// newJob makes a job of an upload. The id looks like the service's. It does not
// depend on the seed, so that a restarted stand-in never answers for the jobs of
// an earlier one.
func (s *Server) newJob(u *Upload, f Faults, d *mathrand.Rand) *job {
	u.JobID, u.At = "c"+strings.ToLower(rand.Text())[:24], time.Now()
	u.Took = s.latency.Load().draw(d)
	j := &job{upload: u}
	switch {
	case chance(d, f.JobError):
		j.fate = failing
	case chance(d, f.JobNever):
		j.fate = endless
	case chance(d, f.JobForget):
		j.fate = forgotten
	case chance(d, f.JobUntyped):
		j.fate = untyped
	}
	return j
}

// state is the service's word for a job of that age.
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

// timestampLayout is the form of the service's times.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// serveStatus answers a poll.
func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request, id string, f Faults, d *mathrand.Rand) {
	wait(r, time.Duration(f.SlowPoll))
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
	body, age := s.record.poll(id, time.Now())
	if body == nil || age < time.Duration(f.NotFoundFor) {
		s.fail(w, d, http.StatusNotFound, "Identification not found")
		return
	}
	s.succeed(w, f, d, http.StatusOK, body)
}

// answer is the body of the answer to a poll.
func (j *job) answer(now time.Time) object {
	u := j.upload
	state := j.state(now.Sub(u.At))
	body := object{
		"id": u.JobID, "status": state, "document_type_code_options": u.Types,
		"request_timestamp": u.At.UTC().Format(timestampLayout), "original_filename": u.Filename,
	}
	switch state {
	case "SUCCESS":
		body["document_type"], body["alternatives"] = u.Result.Type, u.Result.Alternatives
		if j.fate == untyped {
			body["document_type"] = nil
		}
	case "ERROR":
		body["error"] = "Identification failed (a fault of the stand-in)"
	default:
		return body
	}
	body["response_timestamp"] = u.At.Add(u.Took).UTC().Format(timestampLayout)
	return body
}

// latency is how long jobs take; see [Options].
type latency struct {
	Latency Duration `json:"latency"`
	Sigma   float64  `json:"sigma"`
}

// Check refuses a negative latency and a spread far above any real one.
func (l latency) Check() error {
	if l.Latency < 0 || !(l.Sigma >= 0 && l.Sigma <= 5) {
		return errors.New("the latency must not be negative, and sigma must be from 0 to 5")
	}
	return nil
}

// draw returns the duration of one job.
func (l latency) draw(d *mathrand.Rand) time.Duration {
	if l.Sigma == 0 {
		return time.Duration(l.Latency)
	}
	return time.Duration(float64(l.Latency) * math.Exp(l.Sigma*d.NormFloat64()))
}

// SetLatency changes how long new jobs take, as [Options.Latency] and
// [Options.Sigma].
func (s *Server) SetLatency(median time.Duration, sigma float64) {
	s.latency.Store(&latency{Duration(median), sigma})
}
