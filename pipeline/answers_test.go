package pipeline

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// TestOddAnswers: odd but legal answers of the service, for a while or for ever. None
// loses or fails a document, or is paid for twice.
func TestOddAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		faults docutraytest.Faults
		lasts  time.Duration
		hold   store.HoldKind // that is shown meanwhile
	}{
		"jobs unknown at first":  {docutraytest.Faults{NotFoundFor: docutraytest.Duration(6 * time.Second)}, time.Minute, ""},
		"packed":                 {docutraytest.Faults{Gzip: 1}, time.Minute, ""},
		"slow polls":             {docutraytest.Faults{SlowPoll: docutraytest.Duration(65 * time.Second)}, 3 * time.Minute, ""},
		"quota by 429":           {docutraytest.Faults{Account: docutraytest.AccountQuota429}, time.Hour, store.HoldAccount},
		"key revoked":            {docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, time.Hour, store.HoldAccount},
		"everything 404":         {docutraytest.Faults{Outage: "404"}, 25 * time.Second, store.HoldService},
		"a page for everything":  {docutraytest.Faults{Outage: "403", Page: true}, time.Hour, store.HoldService},
		"a page with 413":        {docutraytest.Faults{SubmitStatus: 413, Page: true}, time.Hour, store.HoldService},
		"a page with 415":        {docutraytest.Faults{SubmitStatus: 415, Page: true}, time.Hour, store.HoldService},
		"a page with 451":        {docutraytest.Faults{SubmitStatus: 451, Page: true}, time.Hour, store.HoldService},
		"400 for every document": {docutraytest.Faults{SubmitStatus: 400}, time.Hour, store.HoldAccount},
		"409 for every document": {docutraytest.Faults{SubmitStatus: 409}, time.Hour, store.HoldAccount},
		"413 for every document": {docutraytest.Faults{SubmitStatus: 413}, time.Hour, store.HoldService},
		"415 for every document": {docutraytest.Faults{SubmitStatus: 415}, time.Hour, store.HoldAccount},
		"418 for every document": {docutraytest.Faults{SubmitStatus: 418}, time.Hour, store.HoldAccount},
		"422 for every document": {docutraytest.Faults{SubmitStatus: 422}, time.Hour, store.HoldAccount},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 12
			bubble(t, docutraytest.Options{}, func(r *rig) {
				if c.faults.Account == docutraytest.AccountQuota429 {
					c.faults.ResetDate = time.Now().Add(c.lasts)
				}
				r.service.SetFaults(c.faults)
				r.start()
				r.dropNumbered(n)
				time.Sleep(c.lasts - time.Second)
				synctest.Wait()
				r.held(c.hold, 0)
				same(t, "failed", r.counts()[store.Failed], 0)
				r.service.SetFaults(docutraytest.Faults{})
				r.allFiled(n, 10*time.Minute)
				same(t, "jobs", r.service.Stats().Jobs, n)
				for _, d := range r.docs() {
					same(t, d.Source+": resubmissions", d.Resubmissions, 0)
				}
			})
		})
	}
}

// TestGatewayThatKnowsNoJob: 404 to every poll, in each form, is nobody's job that is lost.
func TestGatewayThatKnowsNoJob(t *testing.T) {
	for _, body := range []string{`{"message":"Identification not found"}`, "not found", "", "<html>"} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
				if !strings.Contains(req.URL.Path, "/status/") {
					return false
				}
				w.WriteHeader(http.StatusNotFound)
				_, _ = fmt.Fprint(w, body)
				return true
			})
			r.dropNumbered(8)
			r.held(store.HoldService, 25*time.Second)
			time.Sleep(2 * time.Minute)
			r.intercept(nil)
			r.allFiled(8, 10*time.Minute)
			same(t, body+": jobs", r.service.Stats().Jobs, 8)
		})
	}
}

// TestNoType: an answer that names no type fails its document after a minute, whatever
// else is going on, and is paid for once.
func TestNoType(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.service.SetFaults(docutraytest.Faults{JobUntyped: 1})
		r.start()
		r.drop("untyped.pdf", pdf("untyped"), "invoice")
		r.reaches("untyped.pdf", store.Pending, time.Minute)
		r.service.SetFaults(docutraytest.Faults{})
		r.file("other.pdf", pdf("other"), "receipt")
		d := r.reaches("untyped.pdf", store.Failed, 3*time.Minute)
		same(t, "reason", d.Error, "the service named no type")
		time.Sleep(2 * time.Hour)
		same(t, "jobs", r.service.Stats().Jobs, 2)
	})
}

// TestAcceptedBefore: that documents were accepted with the same options is in the
// record: after a restart two refusals are those of two documents.
func TestAcceptedBefore(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.file("good.pdf", pdf("good"), "invoice")
		must(t, r.halt())
		r.service.SetFaults(docutraytest.Faults{SubmitStatus: 400})
		r.start()
		r.dropNumbered(2)
		r.until(time.Minute, "both failed", func() bool { return r.counts()[store.Failed] == 2 })
		r.held("", 0)
	})
}

// TestGoodOneAfterManyRefused: a document that was never tried is tried within 30 s,
// whatever else is refused. Once it was accepted the others are at fault themselves: they
// are stuck, or fail, each with the reason.
func TestGoodOneAfterManyRefused(t *testing.T) {
	for _, status := range []int{400, 500} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
				return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, status, "no")
			})
			r.start()
			for i := range 40 {
				r.drop(fmt.Sprint("bad ", i, ".pdf"), pdf(strings.Repeat(fmt.Sprint(i), 5000)), "invoice")
			}
			time.Sleep(time.Hour) // in which each of them is tried
			r.drop("good.pdf", pdf("good"), "invoice")
			r.reaches("good.pdf", store.Filed, 40*time.Second)
			for _, d := range r.docs()[:40] {
				if d.State == store.Waiting && d.Error == "" {
					t.Errorf("%s waits, and nothing says why", d.Source)
				}
			}
			time.Sleep(15 * time.Minute)
			for _, d := range r.docs()[:40] {
				contains(t, d.Source, d.Error, fmt.Sprint(status))
			}
			want := []store.Reason(nil)
			if status == 500 {
				want = []store.Reason{{Reason: "500 Internal Server Error: no", Count: 40}}
			}
			sameList(t, "stuck", r.summary().Stuck, want...)
			same(t, "failed", r.counts()[store.Failed], map[int]int{400: 40}[status])
		})
	}
}

// TestJobNotNamed: what the service accepts without naming a job is paid for. Few are
// tried, also after a restart, until a person asks for one more.
func TestJobNotNamed(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		posts := func() int { return r.service.Stats().Submissions }
		r.service.SetFaults(docutraytest.Faults{NoID: 1})
		r.cfg.Workers = 2
		r.start()
		r.dropNumbered(3)
		r.held(store.HoldAccount, time.Minute)
		contains(t, "hold", r.hold().Reason, "each try may cost")
		time.Sleep(24 * time.Hour)
		n := posts()
		if n > 3 {
			t.Errorf("%d submissions of three documents", n)
		}
		must(t, r.halt())
		r.start()
		r.held(store.HoldAccount, time.Minute)
		time.Sleep(24 * time.Hour)
		same(t, "submissions after a restart", posts(), n)
		r.p.RetryNow(bg)
		time.Sleep(24 * time.Hour)
		r.held(store.HoldAccount, 0)
		if more := posts() - n; more < 1 || more > 2 {
			t.Errorf("%d submissions after a reload", more)
		}
		r.service.SetFaults(docutraytest.Faults{})
		r.p.RetryNow(bg)
		r.allFiled(3, time.Hour)
		r.held("", time.Minute)
		same(t, "failed", r.counts()[store.Failed], 0)
	})
}

// TestJobOfTheOnlyDocumentNotNamed: it is tried twice, and a new document is tried all the
// same: the first may have been at fault.
func TestJobOfTheOnlyDocumentNotNamed(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.service.SetFaults(docutraytest.Faults{NoID: 1})
		r.start()
		r.drop("odd.pdf", pdf("odd"), "invoice")
		r.held(store.HoldAccount, 5*time.Minute)
		time.Sleep(24 * time.Hour)
		same(t, "submissions", r.doc("odd.pdf").Submissions, 2)
		r.service.SetFaults(docutraytest.Faults{})
		r.file("good.pdf", pdf("good"), "invoice")
		r.held("", time.Minute)
		time.Sleep(24 * time.Hour)
		same(t, "submissions", r.doc("odd.pdf").Submissions, 2)
		r.p.RetryNow(bg)
		r.reaches("odd.pdf", store.Filed, time.Minute)
	})
}

// TestOneJobNotNamed: where others are accepted as they should be, that document alone waits
// for a person.
func TestOneJobNotNamed(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, 200, "")
		})
		r.start()
		r.drop("odd.pdf", pdf(strings.Repeat("x", 6000)), "invoice")
		for i := range 10 {
			r.file(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
			time.Sleep(time.Minute)
		}
		d := r.doc("odd.pdf")
		same(t, "phase", d.Phase, store.PhaseUnnamed)
		same(t, "submissions", d.Submissions, 2)
		if n, err := r.store.Left(bg, time.Now()); n != 1 || err != nil {
			t.Errorf("%d left, %v", n, err)
		}
		time.Sleep(15 * time.Minute)
		same(t, "stuck", len(r.summary().Stuck), 1)
	})
}

// TestErrorThatPasses: a job that ended in ERROR is asked for once more before another is
// paid for.
func TestErrorThatPasses(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		var answered atomic.Bool
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.Contains(req.URL.Path, "/status/") && !answered.Swap(true) &&
				answerStatus(w, path.Base(req.URL.Path), "ERROR")
		})
		r.start()
		r.drop("scan.pdf", pdf("scan"), "invoice")
		r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 1)
	})
}

// TestPublicForms: the answers that the public reference and clients show, word for word.
func TestPublicForms(t *testing.T) {
	const answer = `{"id":%q,"status":"SUCCESS",
		"document_type_code_options":["invoice","receipt"],
		"request_timestamp":"2025-07-09T21:35:19.138Z","response_timestamp":"2025-07-09T21:35:28.028Z",
		"original_filename":"scan.pdf",
		"document_type":{"code":"invoice","confidence":0.99,"name":"Invoice"},
		"alternatives":[{"code":"invoice","confidence":0.99,"name":"Invoice"},
			{"code":"other","confidence":0.01,"name":"Other/Unidentified"},
			{"code":"receipt","confidence":0,"name":"Receipt"}]}`
	for name, accepted := range map[string]string{
		"reference": `{"id":"%s","status":"ENQUEUED","documentTypeCode":"string"}`,
		"clients":   `{"identification_id":"%[1]s","status":"ENQUEUED","status_url":"https://app.docutray.com/api/identify-async/status/%[1]s"}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				var posts atomic.Int32
				r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
					if req.Method == http.MethodPost {
						_, _ = io.Copy(io.Discard, req.Body)
						w.WriteHeader(http.StatusAccepted)
						_, _ = fmt.Fprintf(w, accepted, fmt.Sprint("cm5vm9hx30001m5cgh0p9v8q", posts.Add(1)))
						return true
					}
					job, isPoll := strings.CutPrefix(req.URL.Path, "/api/identify-async/status/")
					if isPoll {
						_, _ = fmt.Fprintf(w, answer, job)
					}
					return isPoll
				})
				r.start()
				r.dropNumbered(3)
				r.allFiled(3, time.Minute)
				same(t, "submissions", posts.Load(), 3)
				same(t, "confidence", r.doc("0.pdf").Confidence, 0.99)
			})
		})
	}
}
