package docutraytest

import (
	"encoding/json"
	"net/http"
	"time"
)

// JobTimes is what became of one job and when, for measuring a client: how late
// it asks, how often, and how long after a file was dropped. It belongs to the
// stand-in; the service tells nothing like it.
type JobTimes struct {
	ID       string    `json:"id"`
	SHA256   string    `json:"sha256"`
	Size     int64     `json:"size"`
	Arrived  time.Time `json:"arrived"`           // the submission began to be served
	Made     time.Time `json:"made"`              // the job was made
	Ready    time.Time `json:"ready"`             // the job ends
	Answered time.Time `json:"answered,omitzero"` // its end was first told
	Polls    int       `json:"polls"`
}

// serveStats tells what the stand-in was asked. With ?counts it leaves out what
// grows with the number of documents.
func (s *Server) serveStats(w http.ResponseWriter, r *http.Request) {
	switch {
	case !onlyGet(w, r):
	case r.URL.Query().Has("counts"):
		writeJSON(w, http.StatusOK, s.counts())
	default:
		writeJSON(w, http.StatusOK, s.Stats())
	}
}

// serveJobs tells of every job in the order in which they were made, a line of
// JSON each.
func (s *Server) serveJobs(w http.ResponseWriter, r *http.Request) {
	if !onlyGet(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	lines := json.NewEncoder(w)
	for _, u := range s.Uploads() {
		err := lines.Encode(JobTimes{ID: u.JobID, SHA256: u.SHA256, Size: u.Size, Arrived: u.Arrived,
			Made: u.At, Ready: u.At.Add(u.Took), Answered: u.Answered, Polls: u.Polls})
		if err != nil {
			return // who asked has gone
		}
	}
}

// onlyGet refuses other methods.
func onlyGet(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "stand-in: GET"})
	}
	return r.Method == http.MethodGet
}
