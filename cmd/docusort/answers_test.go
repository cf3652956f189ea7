package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"docusort/pipeline/docutray/docutraytest"
)

// strangeCodes are type codes that no honest service would give.
var strangeCodes = []string{
	"../../outside", "/etc/passwd", "..", ".", "./.", "a/../../b", `..\..\outside`, "_failed", "_review", "_review/invoice", "__failed",
	".hidden", "...", " ", "\t\n", "\u00a0", " invoice ", "invoice.", "con", "nul", "invoice\x00.pdf", "line\nbreak", "\x1b[2J", "\x7f",
	"\u202eecioovni", "\u2066\u2069", "\u200b", "in\u200dvoice", "\ufeff", "\u2028", strings.Repeat("x", 300), strings.Repeat("ü", 300),
	strings.Repeat("../", 200), strings.Repeat("🧾", 100), "日本語", "عربى", "हिन्दी", "e\u0301", "Invoice", "INVOICE", "invoice, receipt", "a:b*c?d|e",
	"-rf", "~", "$(id)", "`id`", "%2e%2e%2f", "docusort.db", "\U000e0001tag", "\ufffd",
}

// TestStrangeTypes: whatever the type code, a document is filed in a folder with a safe name
// right beneath sorted, and reported there.
func TestStrangeTypes(t *testing.T) {
	for _, minimum := range []float64{0, 0.7} {
		t.Run(fmt.Sprint(minimum), func(t *testing.T) {
			w := newWorldWith(t, docutraytest.Options{Identify: func(u docutraytest.Upload) (docutraytest.Result, bool) {
				var n int
				if _, err := fmt.Sscanf(u.Filename, "%d.pdf", &n); err != nil {
					return docutraytest.Result{}, false
				}
				best := docutraytest.TypeScore{Code: strangeCodes[n], Confidence: 0.6, Name: strangeCodes[n]}
				return docutraytest.Result{Type: best, Alternatives: []docutraytest.TypeScore{best, {Code: "../x", Confidence: 0.3}}}, true
			}})
			w.review(minimum)
			w.settings["DOCUSORT_SIDECAR"] = "true"
			w.dropMany(len(strangeCodes), "%d.pdf")
			d := w.start("run")
			w.waitAllDone()
			w.stop(d)
			r := w.checkDisk()
			w.checkRequests(&r)
			w.checkFolders(minimum > 0)
			if n := r.Totals["filed"] + r.Totals["review"]; n != len(strangeCodes) {
				t.Errorf("%v", r.Totals)
			}
			for _, format := range []string{"table", "json"} {
				got := w.run("report", "--documents", "--format", format)
				w.checkPlain("report "+format, got.stdout+got.stderr)
			}
			w.checkPlain("the log", d.stderr.String())
		})
	}
}

// checkFolders: each document is in a folder right beneath sorted or _review, with a name
// that is safe for terminals and programs and is none of docusort's own.
func (w *world) checkFolders(review bool) {
	w.t.Helper()
	for _, file := range filesIn(w.t, w.sorted) {
		rel, err := filepath.Rel(w.sorted, file)
		noErr(w.t, err)
		parts := strings.Split(rel, "/")
		if review && parts[0] == "_review" {
			parts = parts[1:]
		}
		if len(parts) != 2 {
			w.t.Errorf("a document lies at %q", rel)
			continue
		}
		name := parts[0]
		bad := strings.ContainsFunc(name, func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == '\\'
		})
		if bad || !utf8.ValidString(name) || len(name) > 100 || strings.TrimSpace(name) != name ||
			strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "" {
			w.t.Errorf("a folder is called %q", name)
		}
	}
}

// answer is the answer to one poll; %s is the id of the job.
type answer struct {
	status int
	body   string
}

// uselessAnswers say nothing about a job that can be relied on.
var uselessAnswers = []answer{
	{200, ``}, {200, `null`}, {200, `[]`}, {200, `"SUCCESS"`}, {200, `{`}, {200, `{"id":"%s","status":"SUCCESS","document_type":{"code":"inv`},
	{200, `{"id":"%s","status":"SUCCESS"}`}, {200, `{"id":"%s","status":"SUCCESS","document_type":null}`},
	{200, `{"id":"%s","status":"SUCCESS","document_type":"contract"}`}, {200, `{"id":"%s","status":"SUCCESS","document_type":{"code":""}}`},
	{200, `{"id":"%s","status":"SUCCESS","document_type":{"code":["contract"]}}`},
	{200, `{"id":"another","status":"SUCCESS","document_type":{"code":"contract","confidence":1}}`},
	{200, `{"id":"another","status":"ERROR","error":"of another"}`}, {200, `{"id":"%s","status":{"value":"SUCCESS"},"document_type":{"code":"contract"}}`},
	{200, `{"id":"%s","status":""}`}, {200, `{"id":"%s","status":"FINISHED","document_type":{"code":"contract","confidence":1}}`},
	{200, `{"id":"%s","status":"QUEUED"}`}, {200, `<html>SUCCESS</html>`}, {204, ``}, {206, `{"id":"%s"}`}, {302, ``}, {418, `{"error":"teapot"}`},
	{200, `{"id":"%s","status":"SUCCESS","document_type":{"code":"contract","confidence":1},"padding":"` + strings.Repeat("x", 2<<20) + `"}`},
	{200, strings.Repeat(`[`, 100_000)}, {200, "\xff\xfe{}"}, {500, `{"id":"%s","status":"SUCCESS","document_type":{"code":"contract","confidence":1}}`},
}

// TestUselessAnswers: an answer that cannot be used changes nothing; the job is polled
// again, and neither fails nor is paid for again.
func TestUselessAnswers(t *testing.T) {
	w := newWorld(t)
	w.requestsMayRepeat = true
	var mu sync.Mutex
	polls, next, given := 0, 0, map[string]bool{}
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		id, isPoll := strings.CutPrefix(r.URL.Path, "/api/identify-async/status/")
		mu.Lock()
		defer mu.Unlock()
		polls++
		// Every other one is good, so that it is no outage.
		if !isPoll || next >= len(uselessAnswers) || given[id] || polls%2 == 0 {
			return false
		}
		a := uselessAnswers[next]
		given[id] = true
		next++
		rw.Header().Set("Location", w.server.URL+"/elsewhere")
		rw.WriteHeader(a.status)
		fmt.Fprint(rw, strings.ReplaceAll(a.body, "%s", id))
		return true
	})
	d := w.start("run")
	for i := 0; ; i++ {
		mu.Lock()
		all := next == len(uselessAnswers)
		mu.Unlock()
		if all {
			break
		}
		w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i)))
		w.waitFor("some are filed", func(r *reportJSON) bool { return r.Totals["filed"] >= i-8 })
	}
	r := w.finish(d)
	if r.Totals["filed"] != len(r.Documents) || r.Requests.Resubmissions != 0 {
		t.Errorf("%v, %+v", r.Totals, r.Requests)
	}
}

// TestStrangeConfidence: above 1 a confidence is a percentage. What makes no sense
// counts as 0, and never lets a document past review.
func TestStrangeConfidence(t *testing.T) {
	cases := []struct {
		json string
		want float64
	}{
		{`0.9`, 0.9}, {`"0.9"`, 0.9}, {`"NaN"`, 0}, {`NaN`, -1}, {`-1`, 0}, {`1e308`, 0}, {`1e999`, 0}, {`-1e999`, 0}, {`"Infinity"`, 0},
		{`null`, 0}, {`true`, 0}, {`{}`, 0}, {`[0.9]`, 0}, {`"sure"`, 0}, {`0.7`, 0.7}, {`0.6999999999999999`, 0.6999999999999999}, {`99`, 0.99}, {`"99%"`, 0.99}, {`12`, 0.12},
	}
	w := newWorld(t)
	w.requestsMayRepeat = true
	w.review(0.7)
	want := map[string]float64{}
	answers := map[string]string{}
	for i, c := range cases {
		content := pdf(invoice, c.json)
		w.drop(fmt.Sprintf("%d.pdf", i), content)
		want[hashOf(content)], answers[hashOf(content)] = c.want, c.json
	}
	var mended sync.Map
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		id, isPoll := strings.CutPrefix(r.URL.Path, "/api/identify-async/status/")
		u, known := w.api.Upload(id)
		if !isPoll || !known {
			return false
		}
		confidence := answers[u.SHA256]
		if _, again := mended.LoadOrStore(id, true); again && !json.Valid([]byte(confidence)) {
			confidence = "-1" // it was not JSON, and is polled again
		}
		fmt.Fprintf(rw, `{"id":%q,"status":"SUCCESS","document_type":{"code":"invoice","confidence":%s,"name":"Invoice"}}`, id, confidence)
		return true
	})
	d := w.start("run")
	w.waitAllDone()
	w.stop(d)
	r := w.checkDisk()
	w.checkRequests(&r)
	for _, doc := range r.Documents {
		c := max(want[doc.hash()], 0)
		if state := map[bool]string{true: "filed", false: "review"}[c >= 0.7]; *doc.Confidence != c || doc.State != state {
			t.Errorf("%s is %s with %v", answers[doc.hash()], doc.State, *doc.Confidence)
		}
	}
}

// strangeAcceptances accept a document without a usable job id.
var strangeAcceptances = []string{
	``, `{}`, `null`, `{"id":null}`, `{"id":""}`, `{"id":" "}`, `{"id":".."}`,
	`{"id":"line\nbreak"}`, `{"id":"\u202ex"}`, `{"id":{"id":"x"}}`, `{"id":["x"]}`, `{"id":"` + strings.Repeat("x", 5000) + `"}`, `{"id":"cut`,
	strings.Repeat("x", 2<<20),
}

// TestStrangeAcceptance: a job whose id cannot be used is an unknown outcome: the document
// is submitted once more, which is reported.
func TestStrangeAcceptance(t *testing.T) {
	w := newWorld(t)
	w.requestsMayRepeat = true
	w.settings["DOCUSORT_WORKERS"] = "1"
	var mu sync.Mutex
	posts, next := 0, 0
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		posts++
		if next >= len(strangeAcceptances) || posts%2 == 0 {
			return false
		}
		body := strangeAcceptances[next]
		next++
		if _, err := r.Body.Read(make([]byte, 1)); err != nil {
			return false
		}
		rw.WriteHeader(http.StatusAccepted)
		fmt.Fprint(rw, body)
		return true
	})
	w.dropMany(3*len(strangeAcceptances), "%d.pdf")
	r := w.runToEnd()
	if next != len(strangeAcceptances) || r.Requests.Resubmissions > next || r.Totals["filed"] != len(r.Documents) {
		t.Errorf("%d strange answers, %+v, %v", next, r.Requests, r.Totals)
	}
	t.Logf("%+v", r.Requests)
	if slices.ContainsFunc(r.Documents, func(d reportDocument) bool { return d.JobID == nil }) {
		t.Error("a document has no job")
	}
}
