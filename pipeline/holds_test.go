package pipeline

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// Trouble of the service or the account fails no document and costs no attempt. It is
// shown as a hold, which ends by itself.
func TestTroubleOfServiceAndAccount(t *testing.T) {
	for name, c := range map[string]struct {
		faults docutraytest.Faults
		kind   store.HoldKind
		within time.Duration // after it has passed
	}{
		"401":        {docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, store.HoldAccount, 6 * time.Minute},
		"402":        {docutraytest.Faults{Account: docutraytest.AccountQuotaUsed}, store.HoldAccount, 6 * time.Minute},
		"403 types":  {docutraytest.Faults{Account: docutraytest.AccountNoTypes}, store.HoldAccount, 6 * time.Minute},
		"403 job":    {docutraytest.Faults{Account: docutraytest.AccountNoAccess}, store.HoldAccount, 6 * time.Minute},
		"503":        {docutraytest.Faults{Outage: docutraytest.OutageUnavailable}, store.HoldService, 6 * time.Minute},
		"connection": {docutraytest.Faults{Outage: docutraytest.OutageDrop}, store.HoldService, 6 * time.Minute},
		"5xx":        {docutraytest.Faults{FailSubmit: 1}, store.HoldService, time.Hour},
	} {
		for _, n := range []int{1, 12} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
					r.start()
					r.dropNumbered(n)
					r.held(c.kind, 3*time.Minute)
					r.pass(2 * time.Hour)
					r.held(c.kind, 0)
					for _, d := range r.docs() {
						if d.State.Finished() || d.Outcome != "" || d.State == store.Waiting && d.Attempts > 0 {
							t.Errorf("%s, outcome %q, attempts %d", d.State, d.Outcome, d.Attempts)
						}
					}
					between(t, "requests in two hours", r.service.Stats().Requests, 1, 12*150)
					r.service.SetFaults(docutraytest.Faults{})
					r.allFiled(n, c.within)
					r.held("", 0)
					same(t, "holds that ended", r.log.count("hold ended"), 1)
					for _, d := range r.docs() {
						same(t, "attempts", d.Attempts, 1)
						if name != "5xx" { // among them are gateways that lose sight of a request
							same(t, "resubmissions", d.Resubmissions, 0)
						}
					}
				})
			})
		}
	}
}

// When a hold lifts, the documents that it had refused do not wait out their
// pauses, not even where they are more than are looked at as probes.
func TestPausesEndWithTheHold(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{FailSubmit: 1}}, func(r *rig) {
		const n = parkedPlaces + 7
		r.start()
		r.dropNumbered(n)
		r.pass(24 * time.Hour)
		r.held(store.HoldService, 0)
		r.service.SetFaults(docutraytest.Faults{})
		r.drop("new.pdf", pdf("new"), "invoice")
		r.allFiled(n+1, time.Minute)
	}, func(c *Config) { c.MaxPending, c.Workers = 1, 1 })
}

func TestRequestsStayWithinTheServicesLimit(t *testing.T) {
	for form := docutraytest.RateFull; form <= docutraytest.RateSilent; form++ {
		bubble(t, docutraytest.Options{RateLimit: 30, RateForm: form}, func(r *rig) {
			r.start()
			r.dropNumbered(40)
			r.allFiled(40, time.Hour)
			st := r.service.Stats()
			refused := st.ByStatus["submit 429"] + st.ByStatus["status 429"]
			share := 4
			if form == docutraytest.RateSilent {
				share = 2 // when to ask again has to be found out
			}
			if st.Jobs != 40 || refused*share > st.Requests {
				t.Errorf("form %d: %d jobs, %d of %d requests refused", form, st.Jobs, refused, st.Requests)
			}
			for _, d := range r.docs() {
				same(t, "submitted twice", d.Resubmissions, 0)
				same(t, "refusals", d.Failures, 0)
			}
		})
	}
}

func TestRequestsPerMinute(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		begun := time.Now()
		r.dropNumbered(30)
		r.allFiled(30, time.Hour)
		between(t, "requests", r.service.Stats().Requests, 60, int(time.Since(begun).Minutes()*60)+2)
	}, func(c *Config) { c.RequestsPerMinute = 60 })
}

// Settings that the service refuses with every document fail none of them.
func TestSettingsThatAreRefused(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && refuse(w, 400, "Validation error")
		})
		r.start()
		r.dropNumbered(12)
		r.held(store.HoldAccount, 10*time.Second)
		r.pass(time.Hour)
		sameList(t, "moved", r.names())
		r.intercept(nil)
		r.allFiled(12, time.Hour)
		same(t, "failed", r.counts()[store.Failed], 0)
	})
}

// A hold that holds nothing any more ends: no request would find out.
func TestHoldEndsWhenNothingWaits(t *testing.T) {
	for _, account := range []docutraytest.AccountState{docutraytest.AccountKeyRevoked, docutraytest.AccountQuotaUsed} {
		bubble(t, docutraytest.Options{Faults: docutraytest.Faults{Account: account}}, func(r *rig) {
			r.start()
			r.drop("scan.pdf", pdf("x"), "invoice")
			r.held(store.HoldAccount, time.Second)
			time.Sleep(10 * time.Minute)
			r.held(store.HoldAccount, 0)
			must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
			r.reaches("scan.pdf", store.Gone, 61*time.Second) // found by the sweep alone
			r.service.SetAccount(docutraytest.AccountGood, time.Time{})
			r.held("", 7*time.Minute)
			r.pass(lookAgain)
			same(t, "holds that are shown to end", r.log.count("hold ended"), 1)
		})
	}
}

// Two holds that one request can be the probe of do not wait for each other: the
// key was wrong, and then the service was down, while a submission and the polls
// of jobs waited.
func TestTwoHoldsEndTogether(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 4 * time.Second}, func(r *rig) {
		r.start()
		r.drop("one.pdf", pdf("one"), "invoice")
		r.drop("two.pdf", pdf("two"), "invoice")
		time.Sleep(time.Second)
		r.service.SetFaults(docutraytest.Faults{Account: docutraytest.AccountKeyRevoked})
		r.drop("three.pdf", pdf("three"), "invoice")
		time.Sleep(3 * time.Second)
		r.service.SetFaults(docutraytest.Faults{Outage: docutraytest.OutageUnavailable})
		time.Sleep(time.Minute)
		r.service.SetFaults(docutraytest.Faults{})
		r.allFiled(3, 10*time.Minute)
		r.held("", time.Minute)
	})
}
