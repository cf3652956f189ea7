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

// control makes a request to one of the stand-in's own addresses.
func control(s *Server, method, name, body string) (status int, answer string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, "/_standin/"+name, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

// jobTimes reads the list of jobs.
func jobTimes(t *testing.T, s *Server) (all []JobTimes) {
	t.Helper()
	_, body := control(s, "GET", "jobs", "")
	for lines := json.NewDecoder(strings.NewReader(body)); ; {
		var j JobTimes
		err := lines.Decode(&j)
		if err == io.EOF {
			return all
		}
		must(t, err)
		all = append(all, j)
	}
}

// TestJobTimes: Answered is the time of the first poll after the end.
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
		if st := s.Stats(); !st.FirstSubmission.Equal(first) ||
			!st.LastSubmission.Equal(made.Add(13*time.Second)) {
			t.Errorf("%+v", st)
		}
	})
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

// TestLatencyChanges: a change applies to new jobs only.
func TestLatencyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: 2 * time.Second})
		submit(t, s, newForm())
		if status, body := control(s, "POST", "latency", `{"latency":"20s"}`); status != 200 || body != `{"latency":"20s","sigma":0}` {
			t.Errorf("%d %s", status, body)
		}
		submit(t, s, newForm())
		for _, body := range []string{`{"latency":"-1s"}`, `{"sigma":-1}`, `{"sigma":6}`, `{"median":"1s"}`, `20`} {
			if status, _ := control(s, "POST", "latency", body); status != 400 {
				t.Errorf("%s: %d", body, status)
			}
		}
		if status, body := control(s, "GET", "latency", ""); status != 200 || body != `{"latency":"20s","sigma":0}` {
			t.Errorf("%d %s", status, body)
		}
		s.SetLatency(4*time.Second, 1)
		submit(t, s, newForm())
		jobs := jobTimes(t, s)
		for i, want := range []time.Duration{2 * time.Second, 20 * time.Second} {
			if took := jobs[i].Ready.Sub(jobs[i].Made); took != want {
				t.Errorf("job %d takes %v, not %v", i, took, want)
			}
		}
		if took := jobs[2].Ready.Sub(jobs[2].Made); took == 4*time.Second || took > 4*time.Minute {
			t.Errorf("no spread: %v", took)
		}
	})
}

func TestFaultsByHTTP(t *testing.T) {
	s := New(Options{Faults: Faults{JobError: 0.5}})
	if status, body := control(s, "POST", "faults", `{"outage":"503","stall_for":"3s"}`); status != 200 || !strings.Contains(body, `"stall_for":"3s"`) {
		t.Error(status, body)
	}
	if f := s.Faults(); f.Outage != OutageUnavailable || f.JobError != 0.5 || time.Duration(f.StallFor) != 3*time.Second {
		t.Errorf("%+v", f)
	}
	before := s.Faults()
	for _, bad := range []string{`{"outage":"x"}`, `{"nope":1}`, `{"job_error":2}`, `{"job_error":-0.1}`, `[`, `{"stall_for":"-1s"}`, `{"account":"500"}`, `{"slow_poll":"-1s"}`,
		`{"outage":"99"}`, `{"outage":"600"}`, `{"submit_status":99}`, `{"submit_status":600}`, `{"no_id":1.1}`} {
		if status, body := control(s, "POST", "faults", bad); status != 400 || s.Faults() != before {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if status, _ := control(s, "DELETE", "faults", ""); status != 200 || s.Faults() != (Faults{}) {
		t.Errorf("%+v", s.Faults())
	}
}
