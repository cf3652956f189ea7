package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestOneIsAlwaysRefused: a document that the service always refuses does not delay the
// others, does not fail, and is reported with the reason.
func TestOneIsAlwaysRefused(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusRequestTimeout, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := newWorld(t)
			w.requestsMayRepeat = true
			var healed atomic.Bool
			var refused atomic.Int32
			w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || healed.Load() {
					return false
				}
				body, err := io.ReadAll(r.Body)
				if err != nil || !bytes.Contains(body, []byte("poison")) {
					r.Body = io.NopCloser(bytes.NewReader(body))
					return false
				}
				refused.Add(1)
				if status == 0 {
					panic(http.ErrAbortHandler)
				}
				rw.WriteHeader(status)
				fmt.Fprint(rw, `{"message":"it makes us ill"}`)
				return true
			})
			d := w.start("run")
			w.drop("poison.pdf", pdf(invoice, "poison"))
			w.waitFor("it was refused", func(*reportJSON) bool { return refused.Load() > 0 })
			const many = 30
			w.dropMany(many, "%d.pdf")
			r := w.waitFor("all others are filed", func(r *reportJSON) bool { return r.Totals["filed"] == many && refused.Load() >= 2 })
			for _, doc := range r.Documents {
				if doc.Source == "poison.pdf" && (doc.Error == nil || status != 0 && !strings.Contains(*doc.Error, "it makes us ill")) {
					t.Errorf("of the refused one the report says %+v", doc)
				}
			}
			healed.Store(true)
			d.signal(syscall.SIGHUP)
			r = w.finish(d)
			if got := r.Requests.Submissions; got != many+1+int(refused.Load()) {
				t.Errorf("%d submissions are reported; %d were refused", got, refused.Load())
			}
			if unknown := int(refused.Load()); status == 0 && r.Requests.Resubmissions != unknown || status == 500 && r.Requests.Resubmissions != 0 {
				t.Errorf("%d submissions again, after %d that were refused", r.Requests.Resubmissions, unknown)
			}
		})
	}
}

// TestJobsDenied: an account that may not poll its own jobs any more is a hold; no job is
// given up or paid for again.
func TestJobsDenied(t *testing.T) {
	w := newWorld(t)
	w.pinged = true
	w.jobsStay.Store(true)
	d := w.start("run")
	w.dropMany(5, "%d.pdf")
	w.waitState("pending", 5)
	w.jobsStay.Store(false)
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		rw.WriteHeader(http.StatusForbidden)
		fmt.Fprint(rw, `{"error":"You do not have access to this identification"}`)
		return true
	})
	r := w.waitHold("account")
	if !strings.Contains(r.Daemon.Hold.Reason, "do not have access") || r.Totals["pending"] != 5 {
		t.Errorf("%+v, %v", r.Daemon.Hold, r.Totals)
	}
	w.api.SetIntercept(nil)
	w.waitState("filed", 5)
	w.stop(d)
	r = w.check()
	w.checkSubmissions(5)
}
