package pipeline

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A file that cannot be moved out is left alone before anything is paid for.
// (A superuser may read and move everything, so this is the attribute's case.)
func TestTroubleOfOneDocumentDelaysNoOther(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.file("good.pdf", pdf("good"), "invoice")
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return req.Method == http.MethodPost && req.ContentLength > 5000 && refuse(w, 400, "Validation error")
		})
		r.drop("bad.pdf", pdf(string(make([]byte, 10000))), "invoice")
		d := r.reaches("bad.pdf", store.Failed, time.Minute)
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
			r.file(name, pdf(name), "invoice")
			between(t, name, time.Since(begun), 0, 4*time.Second)
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

// repeatingService gives a second document the job id of the first, once.
type repeatingService struct {
	Service
	first   string
	repeats int
}

func (s *repeatingService) Submit(ctx context.Context, sub docutray.Submission) (string, error) {
	job, err := s.Service.Submit(ctx, sub)
	if s.repeats++; s.repeats == 2 {
		return s.first, err
	}
	s.first = job
	return job, err
}

// A document that gets the job id of another one is submitted again.
func TestJobIDOfAnotherDocument(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.cfg.Service = &repeatingService{Service: r.cfg.Service}
		r.start()
		r.file("first.pdf", pdf("first"), "invoice")
		d := r.file("second.pdf", pdf("second"), "receipt")
		same(t, "type", d.Type, "receipt")
		same(t, "resubmissions", d.Resubmissions, 1)
	})
}
