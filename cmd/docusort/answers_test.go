package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// answer is the answer to one poll; %s is the id of the job.
type answer struct {
	status int
	body   string
}

// uselessAnswers are one of each kind that says nothing about a job. Every form is
// tested in package docutray; here is what becomes of the document.
var uselessAnswers = []answer{
	{200, ``},
	{200, `{"id":"%s","status":"SUCCESS","document_type":{"code":"inv`},
	{200, `{"id":"%s","status":"SUCCESS"}`},
	{200, `{"id":"%s","status":"SUCCESS","document_type":{"code":""}}`},
	{200, `{"id":"another","status":"SUCCESS","document_type":{"code":"contract","confidence":1}}`},
	{200, `{"id":"another","status":"ERROR","error":"of another"}`},
	{200, `{"id":"%s","status":"FINISHED","document_type":{"code":"contract","confidence":1}}`},
	{200, `<html>SUCCESS</html>`},
	{204, ``},
	{302, ``},
	{404, `<html>not found</html>`},
	{418, `{"error":"teapot"}`},
	{500, `{"id":"%s","status":"SUCCESS","document_type":{"code":"contract","confidence":1}}`},
}

// TestUselessAnswers: an answer that cannot be used changes nothing; the job is polled
// again, and neither fails nor is paid for again.
func TestUselessAnswers(t *testing.T) {
	w := newWorld(t)
	w.pinged = true
	var next atomic.Int64
	var given sync.Map
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		id, isPoll := strings.CutPrefix(r.URL.Path, statusPath)
		if !isPoll {
			return false
		}
		if _, again := given.LoadOrStore(id, true); again {
			return false
		}
		a := uselessAnswers[next.Add(1)-1]
		rw.Header().Set("Location", w.server.URL+"/elsewhere")
		rw.WriteHeader(a.status)
		fmt.Fprint(rw, strings.ReplaceAll(a.body, "%s", id))
		return true
	})
	w.dropMany(len(uselessAnswers), "%d.pdf")
	r := w.runToEnd()
	r.checkTotals(t, totals{"filed": len(uselessAnswers)})
	w.checkSubmissions(len(uselessAnswers))
}

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
