package docutraytest

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLatencyChanges: it counts for jobs made from then on, and only for those.
func TestLatencyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: 2 * time.Second})
		call := func(method, body string) (int, string) {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, httptest.NewRequest(method, "/_standin/latency", strings.NewReader(body)))
			return rec.Code, rec.Body.String()
		}
		submit(t, s, newForm())
		if status, body := call("POST", `{"latency":"20s"}`); status != 200 || body != `{"latency":"20s","sigma":0}` {
			t.Errorf("%d %s", status, body)
		}
		submit(t, s, newForm())
		for _, body := range []string{`{"latency":"-1s"}`, `{"sigma":-1}`, `{"sigma":6}`, `{"median":"1s"}`, `20`} {
			if status, _ := call("POST", body); status != 400 {
				t.Errorf("%s: %d", body, status)
			}
		}
		if status, _ := call("DELETE", ""); status != 405 {
			t.Errorf("DELETE: %d", status)
		}
		if status, body := call("GET", ""); status != 200 || body != `{"latency":"20s","sigma":0}` {
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
