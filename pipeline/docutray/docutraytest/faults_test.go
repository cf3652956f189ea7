package docutraytest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		faults  Faults
		submit  []int // the statuses that a submission may have; 0: dropped
		jobs    int
		poll    []int
		polling string // the job's status, if it is polled without the fault
	}{
		"none":        {Faults{}, []int{202}, 1, []int{200}, "SUCCESS"},
		"fail submit": {Faults{FailSubmit: 1}, []int{408, 500, 502, 503}, 0, nil, ""},
		"fail poll":   {Faults{FailPoll: 1}, []int{202}, 1, []int{408, 500, 502, 503}, ""},
		"drop before": {Faults{DropBefore: 1}, []int{0}, 0, nil, ""},
		"drop after":  {Faults{DropAfter: 1}, []int{0}, 1, nil, "SUCCESS"},
		"drop poll":   {Faults{DropPoll: 1}, []int{202}, 1, []int{0}, ""},
		"broken JSON": {Faults{BrokenJSON: 1}, []int{202}, 1, []int{200}, "SUCCESS"},
		"job error":   {Faults{JobError: 1}, []int{202}, 1, []int{200}, "ERROR"},
		"job never":   {Faults{JobNever: 1}, []int{202}, 1, []int{200}, "PROCESSING"},
		"job forget":  {Faults{JobForget: 1}, []int{202}, 1, []int{404}, ""},
		"no id":       {Faults{NoID: 1}, []int{202}, 1, []int{200}, "SUCCESS"},
		"untyped":     {Faults{JobUntyped: 1}, []int{202}, 1, []int{200}, "SUCCESS"},
		"gzip":        {Faults{Gzip: 1}, []int{202}, 1, []int{200}, "SUCCESS"},
		"not found":   {Faults{NotFoundFor: Duration(time.Hour)}, []int{202}, 1, []int{404}, "SUCCESS"},
		"one status":  {Faults{SubmitStatus: 418}, []int{418}, 0, []int{404}, ""},
		"refused":     {Faults{Refuse: "INVOICE"}, []int{400}, 0, []int{404}, ""},
		"not refused": {Faults{Refuse: "RECEIPT"}, []int{202}, 1, []int{200}, "SUCCESS"},
		"other site":  {Faults{Outage: "404", Page: true}, []int{404}, 0, []int{404}, ""},
		"429":         {Faults{Account: AccountQuota429}, []int{429}, 0, []int{404}, ""},
		"unavailable": {Faults{Outage: OutageUnavailable}, []int{503}, 0, []int{503}, ""},
		"drop":        {Faults{Outage: OutageDrop}, []int{0}, 0, []int{0}, ""},
		"401":         {Faults{Account: AccountKeyRevoked}, []int{401}, 0, []int{401}, ""},
		"402":         {Faults{Account: AccountQuotaUsed}, []int{402}, 0, []int{404}, ""},
		"403 post":    {Faults{Account: AccountNoTypes}, []int{403}, 0, []int{404}, ""},
		"403 get":     {Faults{Account: AccountNoAccess}, []int{202}, 1, []int{403}, ""},
	} {
		for seed := range uint64(12) {
			s := New(Options{Faults: c.faults, Seed: seed, AltForms: seed%2 == 1})
			status, _, _ := ask(t, s, newForm().request(t))
			if !slices.Contains(c.submit, status) || s.Stats().Jobs != c.jobs {
				t.Errorf("%s, seed %d: submission %d, %d jobs", name, seed, status, s.Stats().Jobs)
			}
			id := "none"
			if u := s.Uploads(); len(u) > 0 {
				id = u[0].JobID
			}
			if c.poll != nil {
				if status, _, _ := ask(t, s, get(statusPath+id)); !slices.Contains(c.poll, status) {
					t.Errorf("%s, seed %d: poll %d", name, seed, status)
				}
			}
			s.SetFaults(Faults{})
			if _, body, _ := ask(t, s, get(statusPath+id)); c.polling != "" && body["status"] != c.polling {
				t.Errorf("%s, seed %d: job %v", name, seed, body)
			}
		}
	}
}

// TestFormsOfFaults: what an answer looks like where that is the fault.
func TestFormsOfFaults(t *testing.T) {
	reset := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	page := `<!DOCTYPE html><html><head><title>413 Request Entity Too Large`
	for name, c := range map[string]struct {
		faults Faults
		want   string // the beginning of the answer to a submission
		poll   string // and of that to a poll
	}{
		"no id":     {Faults{NoID: 1}, `{"status":"ENQUEUED"}`, `{"alternatives":[{"code":"invoice"`},
		"untyped":   {Faults{JobUntyped: 1}, `{"documentTypeCode":"invoice","id":"c`, `{"alternatives":[{"code":"invoice","confidence":0.99,"name":"invoice"},{"code":"other","confidence":0.01,"name":"other"},{"code":"receipt","confidence":0,"name":"receipt"}],"document_type":null,`},
		"gzip":      {Faults{Gzip: 1}, "\x1f\x8b", "\x1f\x8b"},
		"quota":     {Faults{Account: AccountQuota429, ResetDate: reset}, `{"error":"Quota exceeded","limit":100,"quota":100,"resetDate":"2026-01-01T00:00:00.000Z","used":100}`, ""},
		"a page":    {Faults{SubmitStatus: 413, Page: true}, page, ""},
		"all pages": {Faults{Outage: "413", Page: true}, page, page},
		"no page":   {Faults{SubmitStatus: 413}, `{"message":"Request Entity Too Large"}`, ""},
	} {
		s := New(Options{Faults: c.faults})
		body := func(r *http.Request) string {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Body.String()
		}
		if got := body(newForm().request(t)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
		id := ""
		for _, u := range s.Uploads() {
			id = u.JobID
		}
		if got := body(get(statusPath + id)); !strings.HasPrefix(got, c.poll) {
			t.Errorf("%s: polled %s", name, got)
		}
	}
}

// TestLimitType: a limit is named after its window.
func TestLimitType(t *testing.T) {
	for window, want := range map[time.Duration]string{time.Second: "minute", time.Hour: "hour", 24 * time.Hour: "day"} {
		s := New(Options{RateLimit: 1, RateWindow: window})
		ask(t, s, get(typesPath))
		if status, body, h := ask(t, s, get(typesPath)); status != 429 || body["limitType"] != want || h.Get("X-RateLimit-Limit-Type") != want {
			t.Errorf("%v: %d %v", window, status, body)
		}
	}
}

// TestAltForms: the other form of an answer names the job in every way.
func TestAltForms(t *testing.T) {
	s, both := New(Options{AltForms: true, Seed: 1}), 0
	for range 10 {
		id := submit(t, s, newForm())
		_, body, _ := ask(t, s, newForm().request(t))
		if other, ok := body["identification_id"]; ok {
			both++
			if other != body["id"] || body["status_url"] != statusPath+fmt.Sprint(other) || other == id {
				t.Error(body)
			}
		}
	}
	if both == 0 {
		t.Error("there is no other form")
	}
	f := newForm()
	f.fields[0][1] = `["nope"]`
	if status, body, _ := ask(t, s, f.request(t)); status != 403 ||
		!strings.Contains(fmt.Sprint(body), "You do not have permission to use the following document types: nope") {
		t.Errorf("a type that may not be used: %d %v", status, body)
	}
}

// TestFaultsThatTakeTime: a job that is unknown at first, and polls that are slow.
func TestFaultsThatTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Faults: Faults{NotFoundFor: Duration(3 * time.Second), SlowPoll: Duration(time.Second)}})
		id, start := submit(t, s, newForm()), time.Now()
		for i, want := range []int{404, 404, 200} {
			if status, _, _ := ask(t, s, get(statusPath+id)); status != want || time.Since(start) != time.Duration(i+1)*time.Second {
				t.Errorf("poll %d: %d after %v", i, status, time.Since(start))
			}
		}
	})
}

// TestSynchronous: the other endpoint answers when the job has ended.
func TestSynchronous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := New(Options{Latency: 9 * time.Second}), time.Now()
		r := newForm().request(t)
		r.URL.Path = identifyPath
		status, body, _ := ask(t, s, r)
		typ, _ := body["document_type"].(map[string]any)
		if status != 200 || body["status"] != "SUCCESS" || typ["code"] != "invoice" || time.Since(start) != 9*time.Second {
			t.Errorf("%d %v after %v", status, body, time.Since(start))
		}
	})
}

func TestJobsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: 10 * time.Second})
		id := submit(t, s, newForm())
		for _, step := range []struct {
			at   time.Duration
			want string
		}{{0, "ENQUEUED"}, {3 * time.Second, "PROCESSING"}, {9 * time.Second, "PROCESSING"}, {10 * time.Second, "SUCCESS"}} {
			time.Sleep(time.Until(s.Uploads()[0].At.Add(step.at)))
			_, body, _ := ask(t, s, get(statusPath+id))
			if body["status"] != step.want {
				t.Errorf("at %v: %v", step.at, body)
			}
			if step.want == "SUCCESS" && (body["request_timestamp"] != "2000-01-01T00:00:00.000Z" ||
				body["response_timestamp"] != "2000-01-01T00:00:10.000Z") {
				t.Error(body)
			}
		}
		if u, ok := s.Upload(id); !ok || u.Polls != 4 {
			t.Errorf("%d polls", u.Polls)
		}
		s.Forget(id)
		if status, _, _ := ask(t, s, get(statusPath+id)); status != 404 {
			t.Error(status)
		}
	})
}

func TestRateLimit(t *testing.T) {
	const limits = ", minute 3 0 946684860"
	for form, want := range map[RateForm]string{
		RateFull:    "Retry-After 20" + limits + ", map[error:Rate limit exceeded limit:3 limitType:minute remaining:0 resetTime:9.4668486e+08 retryAfter:20]",
		RateHeaders: "Retry-After " + limits + ", map[error:Rate limit exceeded limit:3 limitType:minute remaining:0]",
		RateSilent:  "Retry-After ,    , map[error:Rate limit exceeded limit:3 limitType:minute remaining:0]",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{RateLimit: 3, RateForm: form})
			id := submit(t, s, newForm())
			ask(t, s, get(typesPath))
			_, _, h := ask(t, s, get(statusPath+id))
			if left := h.Get("X-RateLimit-Remaining"); form != RateSilent && left != "0" {
				t.Errorf("after the last request %q remain", left)
			}
			time.Sleep(40 * time.Second)
			status, body, h := ask(t, s, get(statusPath+id))
			got := fmt.Sprintf("Retry-After %s, %s %s %s %s, %v", h.Get("Retry-After"), h.Get("X-RateLimit-Limit-Type"),
				h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset"), body)
			if status != 429 || got != want {
				t.Errorf("%d %s, want %s", status, got, want)
			}
			time.Sleep(20 * time.Second)
			if status, _, h := ask(t, s, get(statusPath+id)); status != 200 || form != RateSilent && h.Get("X-RateLimit-Remaining") != "2" {
				t.Errorf("%d %v after the wait", status, h)
			}
		})
	}
}

// TestRateBurst: a bucket accepts its burst at once, then an even pace.
func TestRateBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RateLimit: 30, RateBurst: 3})
		for round, want := range []string{"200 200 200 429", "200 429", "200 200 429", "200 200 200 429"} {
			var got, left []string
			for range strings.Fields(want) {
				status, _, h := ask(t, s, get(typesPath))
				got = append(got, fmt.Sprint(status))
				if after := h.Get("Retry-After"); status == 429 && after != "2" {
					t.Errorf("Retry-After %s", after)
				}
				left = append(left, h.Get("X-RateLimit-Remaining"))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("round %d: %s, not %s", round, got, want)
			}
			if down := []string{"2 1 0 0", "0 0", "1 0 0", "2 1 0 0"}[round]; strings.Join(left, " ") != down {
				t.Errorf("round %d: %s remain, not %s", round, left, down)
			}
			time.Sleep([]time.Duration{2, 4, 60, 0}[round] * time.Second)
		}
	})
}

func TestStats(t *testing.T) {
	s := New(Options{})
	id := submit(t, s, newForm())
	submit(t, s, newForm())
	ask(t, s, get(statusPath+id))
	s.SetOutage(OutageDrop)
	ask(t, s, get(statusPath+id))
	s.SetOutage(OutageNone)
	st := s.Stats()
	hash := s.Uploads()[0].SHA256
	if st.Requests != 4 || st.Submissions != 2 || st.Polls != 2 || st.Complete != 2 || st.Jobs != 2 || st.Dropped != 1 ||
		st.ByStatus["submit 202"] != 2 || st.ByStatus["status 200"] != 1 || st.JobsBySHA256[hash] != 2 ||
		st.CompleteBySHA256[hash] != 2 || st.MaxUploading != 1 {
		t.Errorf("%+v", st)
	}
	st.ByStatus["submit 202"], st.JobsBySHA256[hash] = 99, 99
	if now := s.Stats(); now.ByStatus["submit 202"] != 2 || now.JobsBySHA256[hash] != 2 {
		t.Error("Stats hands out its own map")
	}
	_, body := control(s, "GET", "stats", "")
	if !strings.Contains(body, `"complete_uploads":2`) || !strings.Contains(body, `"jobs_by_sha256":{"`+hash+`":2}`) {
		t.Error(body)
	}
}
