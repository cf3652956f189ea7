package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"docusort/store"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// compact is how encoding/json writes the value, without our line breaks.
func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b.String()
}

// TestSchema holds the page's example against what is written: the same fields,
// in the same order, each of the same kind.
func TestSchema(t *testing.T) {
	const page = `{"version":1,"generated_at":"","since":"",
		"daemon":{"running":true,"pid":1,"started_at":"","hold":{"kind":"","reason":"","since":"","until":""}},
		"totals":{"waiting":1,"submitting":1,"pending":1,"identified":1,"filed":1,"review":1,"failed":1,"gone":1},
		"types":[{"type":"","filed":1,"review":1,"mean_confidence":1}],
		"latency_seconds":{"p50":1,"p95":1,"max":1},
		"oldest_unfinished_seconds":1,
		"requests":{"submissions":1,"polls":1,"reused":1,"resubmissions":1},
		"failures":[{"reason":"","count":1}],
		"stuck":[{"reason":"","count":1}],
		"not_taken":[{"path":"","reason":"","since":""}],
		"documents":[{"id":1,"source":"","path":"","state":"","type":"","confidence":1,"job_id":"","sha256":"","size":1,
			"attempts":1,"polls":1,"error":null,"decided_by":"service","discovered_at":"","submitted_at":"","identified_at":"","finished_at":""}]}`
	record(t, func(f *fixture) {
		f.ok(f.s.Started(f.ctx, 4711))
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldAccount, Reason: "r", Since: time.Now(), Until: time.Now()}))
		f.file("a.pdf", "invoice", 0.5)
		o := Options{Documents: true, Filter: store.Filter{Since: time.Now().Add(-time.Hour)}}
		full := f.render(writeJSON, Options{Documents: true, Filter: store.Filter{Since: o.Filter.Since, State: store.Filed}})
		f.fail("b.docx", "unsupported format")
		f.drop("c.pdf")
		f.admit("e.pdf", func(a *store.Admission) { a.SHA256, a.Blocked = nil, "not readable" })
		f.stuck(1)
		f.ok(f.s.SetNotTaken(f.ctx, []store.NotTaken{{Path: "d.pdf", Reason: "empty", Since: time.Now()}}))
		f.pass(time.Second)
		all := f.render(writeJSON, o)
		// One document that has everything, and a summary that has everything.
		head, _, _ := strings.Cut(all, `"documents"`)
		_, tail, _ := strings.Cut(full, `"documents"`)
		if got, want := shape(f.t, head+`"documents"`+tail), shape(f.t, page); got != want {
			t.Errorf("fields are\n%s\nwant\n%s", got, want)
		}
	})
}

// shape replaces every value by its kind.
func shape(t *testing.T, text string) string {
	t.Helper()
	text = compact(t, text)
	text = regexp.MustCompile(`:"[^"]*"`).ReplaceAllString(text, `:"s"`)
	text = regexp.MustCompile(`:[0-9.]+`).ReplaceAllString(text, `:0`)
	return text
}

func TestJSONOfNothing(t *testing.T) {
	record(t, func(f *fixture) {
		want := `{"version":1,"generated_at":"2000-01-01T00:00:00.000Z","since":null,` +
			`"daemon":{"running":true,"pid":null,"started_at":null,"hold":null},` +
			`"totals":{"waiting":0,"submitting":0,"pending":0,"identified":0,"filed":0,"review":0,"failed":0,"gone":0},` +
			`"types":[],"latency_seconds":{"p50":null,"p95":null,"max":null},"oldest_unfinished_seconds":null,` +
			`"requests":{"submissions":0,"polls":0,"reused":0,"resubmissions":0},"failures":[],"stuck":[],"not_taken":[]`
		if got := compact(f.t, f.render(writeJSON, Options{})); got != want+"}" {
			t.Errorf("got\n%s\nwant\n%s", got, want+"}")
		}
		if got := compact(f.t, f.render(writeJSON, Options{Documents: true})); got != want+`,"documents":[]}` {
			t.Errorf("got\n%s\nwant\n%s", got, want+`,"documents":[]}`)
		}
	})
}

func TestJSONOfADeadDaemon(t *testing.T) {
	record(t, func(f *fixture) {
		f.ok(f.s.Started(f.ctx, 4711))
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Reason: "full", Since: time.Now()}))
		f.ok(f.s.Close())
		d := decode(f.t, f.render(writeJSON, Options{})).Daemon
		if d.Running || d.PID != nil || d.Hold != nil || d.StartedAt == nil {
			t.Errorf("got %+v", d)
		}
	})
}

func TestJSONOfOddReasons(t *testing.T) {
	record(t, func(f *fixture) {
		f.ok(f.s.Started(f.ctx, 1))
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Reason: "open \xff: <&>\u202e\u009b\U000e0041", Since: time.Now()}))
		f.fail("a", "bad \xfe")
		text := f.render(writeJSON, Options{})
		if e := decode(f.t, text); e.Daemon.Hold.Reason != "open \\xff: <&>\u202e\u009b\U000e0041" || e.Failures[0].Reason != `bad \xfe` {
			t.Errorf("got %+v and %+v", e.Daemon.Hold, e.Failures)
		}
		f.says(text, `"open \\xff: <&>\u202e\u009b\udb40\udc41"`)
	})
}

func TestJSONOfDocuments(t *testing.T) {
	record(t, func(f *fixture) {
		moving := f.identify("a/b.pdf", "invoice", 0, store.Filed)
		_, err := f.s.Target(f.ctx, []store.Targeted{{ID: moving, Sorted: store.Folder{Path: sortedRoot}, Target: "invoice/b.pdf"}})
		f.ok(err)
		f.admit("blocked", func(a *store.Admission) { a.SHA256, a.Blocked = nil, "no <&> \xff" })
		docs := *decode(f.t, f.render(writeJSON, Options{Documents: true})).Documents
		d := docs[0]
		if d.Path != nil || d.Confidence == nil || *d.Confidence != 0 || *d.Type != "invoice" || *d.JobID != "job-1" {
			t.Errorf("a document that is just being moved, with a confidence of 0: %+v", d)
		}
		d = docs[1]
		if d.SHA256 != nil || d.Type != nil || d.Confidence != nil || d.JobID != nil || d.SubmittedAt != nil || *d.Error != `no <&> \xff` {
			t.Errorf("a document that may not be read: %+v", d)
		}
		f.moved(moving)
		d = (*decode(f.t, f.render(writeJSON, Options{Documents: true})).Documents)[0]
		if d.Path == nil || *d.Path != sortedRoot+"/invoice/b.pdf" {
			t.Errorf("a filed document: %+v", d)
		}
	})
}

// A mean confidence of nothing is none, as that of each of the documents is.
func TestMeanConfidenceOfDecisions(t *testing.T) {
	record(t, func(f *fixture) {
		f.file("a.pdf", "invoice", 0)
		id := f.file("b.pdf", "invoice", 0.9)
		doc, err := f.s.Document(f.ctx, id)
		f.ok(err)
		f.ok(f.s.Deciding(f.ctx, store.Decision{ID: id, Type: "receipt", Sorted: sortedRoot, Target: "receipt/b.pdf", SHA256: doc.SHA256}))
		doc.Type, doc.Confidence, doc.DecidedAt = "receipt", 0, time.Now()
		f.ok(f.s.Decided(f.ctx, doc))
		f.says(compact(f.t, f.render(writeJSON, Options{})), `"types":[{"type":"invoice","filed":1,"review":0,"mean_confidence":0},`+
			`{"type":"receipt","filed":1,"review":0,"mean_confidence":null}]`)
		f.says(f.render(writeTable, Options{}), "receipt      1       0           -\n")
	})
}
