package docutraytest

import (
	"fmt"
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
	for form, want := range map[RateForm]string{
		RateFull:   "Retry-After 20, map[error:Rate limit exceeded limit:3 limitType:minute remaining:0 resetTime:9.4668486e+08 retryAfter:20]",
		RateSilent: "Retry-After , map[error:Rate limit exceeded limit:3 limitType:minute remaining:0]",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{RateLimit: 3, RateForm: form})
			id := submit(t, s, newForm())
			ask(t, s, get(typesPath))
			ask(t, s, get(statusPath+id))
			time.Sleep(40 * time.Second)
			status, body, h := ask(t, s, get(statusPath+id))
			if got := fmt.Sprintf("Retry-After %s, %v", h.Get("Retry-After"), body); status != 429 || got != want {
				t.Errorf("%d %s", status, got)
			}
			time.Sleep(20 * time.Second)
			if status, _, _ := ask(t, s, get(statusPath+id)); status != 200 {
				t.Errorf("%d after the wait", status)
			}
		})
	}
}

// TestRateBurst: a bucket accepts its burst at once, then an even pace.
func TestRateBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{RateLimit: 30, RateBurst: 3})
		for round, want := range []string{"200 200 200 429", "200 429", "200 200 429", "200 200 200 429"} {
			var got []string
			for range strings.Fields(want) {
				status, _, h := ask(t, s, get(typesPath))
				got = append(got, fmt.Sprint(status))
				if after := h.Get("Retry-After"); status == 429 && after != "2" {
					t.Errorf("Retry-After %s", after)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("round %d: %s, not %s", round, got, want)
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
	st.ByStatus["submit 202"] = 99
	if s.Stats().ByStatus["submit 202"] != 2 {
		t.Error("Stats hands out its own map")
	}
	_, body := control(s, "GET", "stats", "")
	if !strings.Contains(body, `"complete_uploads":2`) || !strings.Contains(body, `"jobs_by_sha256":{"`+hash+`":2}`) {
		t.Error(body)
	}
}
