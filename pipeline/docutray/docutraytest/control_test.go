package docutraytest

import (
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
		jobs := s.Uploads()
		for i, want := range []time.Duration{2 * time.Second, 20 * time.Second} {
			if took := jobs[i].Took; took != want {
				t.Errorf("job %d takes %v, not %v", i, took, want)
			}
		}
		if took := jobs[2].Took; took == 4*time.Second || took > 4*time.Minute {
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
