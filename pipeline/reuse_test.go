package pipeline

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestIdenticalContentIsNotAskedForAgain(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("one.pdf", pdf("x"), "invoice")
		first := r.reaches("one.pdf", store.Filed, time.Minute)
		begun := time.Now()
		r.drop("two.pdf", pdf("x"), "invoice")
		d := r.reaches("two.pdf", store.Filed, time.Second)
		same(t, "took", time.Since(begun) < time.Second, true)
		same(t, "reused", d.Reused, true)
		same(t, "submissions", d.Submissions, 0)
		same(t, "confidence", d.Confidence, first.Confidence)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		sameList(t, "sorted", r.names(), "invoice/one.pdf", "invoice/two.pdf")
	})
}

func TestIdenticalContentInFlightIsWaitedFor(t *testing.T) {
	for _, stage := range stages {
		t.Run(string(stage), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.at(stage, func() {
					r.drop("two.pdf", pdf("old"), "invoice")
					r.drop("three.pdf", pdf("old"), "invoice")
				})
				for _, n := range []string{"scan.pdf", "two.pdf", "three.pdf"} {
					r.reaches(n, store.Filed, time.Minute)
				}
				same(t, "jobs", r.service.Stats().Jobs, 1)
				same(t, "submissions", r.doc("two.pdf").Submissions, 0)
			})
		})
	}
}

// Where the one that is waited for fails, the others fail with it: their content
// is the same.
func TestIdenticalContentFailsTogether(t *testing.T) {
	bubble(t, docutraytest.Options{Faults: docutraytest.Faults{JobError: 1}}, func(r *rig) {
		r.start()
		r.drop("one.pdf", pdf("x"), "invoice")
		r.drop("two.pdf", pdf("x"), "invoice")
		for _, n := range []string{"one.pdf", "two.pdf"} {
			r.reaches(n, store.Failed, time.Hour)
		}
		same(t, "jobs", r.service.Stats().Jobs, 2)
		exists(t, r.sorted, "_failed/one.pdf", "_failed/two.pdf", "_failed/two.pdf.error.json")
	}, func(c *Config) { c.MaxAttempts = 2 })
}

// Where it goes away, one of the others takes its place.
func TestIdenticalContentWhoseLeaderGoes(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.at(store.Waiting, func() {
			r.drop("two.pdf", pdf("old"), "invoice")
			r.drop("three.pdf", pdf("old"), "invoice")
			must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
		})
		r.reaches("two.pdf", store.Filed, 2*time.Minute)
		r.reaches("three.pdf", store.Filed, 2*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		same(t, "the first", r.doc("scan.pdf").State, store.Gone)
	})
}

// Also where other content takes its place that needs no request itself.
func TestIdenticalContentWhoseLeaderIsReplaced(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("known.pdf", pdf("known"), "receipt")
		r.reaches("known.pdf", store.Filed, time.Minute)
		must(t, r.halt())
		r.at(store.Pending, func() {
			r.drop("two.pdf", pdf("old"), "invoice")
			r.drop("scan.pdf", pdf("known"), "receipt")
		})
		r.reaches("two.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 2)
	})
}

func TestReuseTurnedOffOrTooOld(t *testing.T) {
	for _, within := range []time.Duration{0, time.Hour} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			for i := range 2 {
				name := fmt.Sprint(i, ".pdf")
				r.drop(name, pdf("x"), "invoice")
				r.reaches(name, store.Filed, time.Minute)
				time.Sleep(2 * time.Hour)
			}
			same(t, "jobs", r.service.Stats().Jobs, 2)
		}, func(c *Config) { c.ReuseResults = within })
	}
}

// A result is good for the same choice of types only.
func TestOtherTypesAreAskedForAgain(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("one.pdf", pdf("x"), "invoice")
		r.reaches("one.pdf", store.Filed, time.Minute)
		must(t, r.halt())
		r.cfg.DocumentTypes = []string{"invoice", "letter"}
		r.start()
		r.drop("two.pdf", pdf("x"), "invoice")
		r.reaches("two.pdf", store.Filed, time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 2)
	})
}

// A file that cannot be moved out is left alone before anything is paid for.
// (A superuser may read and move everything, so this is the attribute's case.)
func TestOneBadDocumentIsNobodysTrouble(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("good.pdf", pdf("good"), "invoice")
		r.reaches("good.pdf", store.Filed, time.Minute)
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, 413, "File exceeds maximum allowed size (100MB)")
		})
		r.drop("big.pdf", pdf(string(make([]byte, 10000))), "invoice")
		d := r.reaches("big.pdf", store.Failed, time.Minute)
		same(t, "attempts", d.Attempts, 0)
		r.held("", 0)
		// One that the service always chokes on waits alone, at growing pauses.
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, 500, "Internal server error")
		})
		r.drop("poison.pdf", pdf(string(make([]byte, 9000))), "invoice")
		for i := range 60 {
			name := fmt.Sprint(i, ".pdf")
			begun := time.Now()
			r.drop(name, pdf(name), "invoice")
			r.reaches(name, store.Filed, time.Minute)
			if took := time.Since(begun); took > 4*time.Second {
				t.Errorf("%s took %s", name, took)
			}
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		d = r.doc("poison.pdf")
		same(t, "state", d.State, store.Waiting)
		if d.Failures < 8 || d.Failures > 40 || d.Error == "" {
			t.Errorf("refused %d times: %q", d.Failures, d.Error)
		}
		r.intercept(nil)
		r.reaches("poison.pdf", store.Filed, 2*time.Hour)
	})
}
