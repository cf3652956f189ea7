package docutraytest

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// jobTimes reads the list of jobs as an outside program does.
func jobTimes(t *testing.T, s *Server) (all []JobTimes) {
	t.Helper()
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest("GET", "/_standin/jobs", nil))
	for lines := json.NewDecoder(rec.Body); ; {
		var j JobTimes
		err := lines.Decode(&j)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, j)
	}
}

// TestJobTimes: a job's end is told by the first poll after it, and by no later
// one.
func TestJobTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: 10 * time.Second, Faults: Faults{Stall: 1, StallFor: Duration(time.Second)}})
		first := time.Now()
		id := submit(t, s, newForm())
		s.SetFaults(Faults{})
		made := first.Add(time.Second)
		for range 3 { // at 4, 8 and 12 seconds
			time.Sleep(4 * time.Second)
			ask(t, s, get(statusPath+id))
		}
		time.Sleep(time.Second)
		ask(t, s, get(statusPath+id))
		submit(t, s, newForm())

		jobs := jobTimes(t, s)
		if len(jobs) != 2 {
			t.Fatalf("%d jobs", len(jobs))
		}
		j := jobs[0]
		if j.ID != id || j.Polls != 4 || j.Size == 0 || len(j.SHA256) != 64 || !j.Arrived.Equal(made) || !j.Made.Equal(made) ||
			!j.Ready.Equal(made.Add(10*time.Second)) || !j.Answered.Equal(made.Add(12*time.Second)) {
			t.Errorf("%+v", j)
		}
		if jobs[1].Polls != 0 || !jobs[1].Answered.IsZero() {
			t.Errorf("nobody asked for %+v", jobs[1])
		}
		if st := s.Stats(); !st.FirstRequest.Equal(first) || !st.FirstSubmission.Equal(first) ||
			!st.LastSubmission.Equal(made.Add(13*time.Second)) {
			t.Errorf("%+v", st)
		}
	})
}

func TestStatsCountRefused(t *testing.T) {
	s := New(Options{RateLimit: 1})
	id := submit(t, s, newForm())
	for range 2 {
		ask(t, s, get(statusPath+id))
	}
	for url, hashes := range map[string]bool{"/_standin/stats": true, "/_standin/stats?counts": false} {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest("GET", url, nil))
		body := rec.Body.String()
		if !strings.Contains(body, `"refused":2`) || strings.Contains(body, "jobs_by_sha256") != hashes {
			t.Errorf("%s: %s", url, body)
		}
	}
}

func TestMeasuresAreReadOnly(t *testing.T) {
	for _, url := range []string{"/_standin/jobs", "/_standin/stats"} {
		rec := httptest.NewRecorder()
		New(Options{}).ServeHTTP(rec, httptest.NewRequest("POST", url, nil))
		if rec.Code != 405 {
			t.Errorf("%s: %d", url, rec.Code)
		}
	}
}

// TestRateWindows: a window begins with a request, and only the newest are kept.
func TestRateWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RateLimit: 2})
		for range keepWindows + 1 {
			for range 3 {
				ask(t, s, get(statusPath+"x"))
			}
			time.Sleep(90 * time.Second)
		}
		windows := s.Stats().RateWindows
		if len(windows) != keepWindows {
			t.Fatalf("%d windows", len(windows))
		}
		first := time.Now().Add(-keepWindows * 90 * time.Second)
		for i, w := range windows {
			want := RateWindow{first.Add(time.Duration(i) * 90 * time.Second), 2, 1}
			if w != want {
				t.Fatalf("window %d is %+v, not %+v", i, w, want)
			}
		}
	})
}
