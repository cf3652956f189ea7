package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/store"
)

const sortedRoot = "/srv/docusort/sorted"

// fixture fills a record through the methods that the daemon calls, inside a
// synctest bubble, so that its times are always the same.
type fixture struct {
	t    *testing.T
	ctx  context.Context
	path string
	s    *store.Store
	n    uint64
}

// record runs f in a bubble with an empty record.
func record(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(open(t)) })
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, ctx: context.Background(), path: filepath.Join(t.TempDir(), "docusort.db")}
	s, err := store.Open(f.ctx, store.Config{Path: f.path})
	if err != nil {
		t.Fatal(err)
	}
	f.s = s
	t.Cleanup(func() { s.Close() })
	return f
}

func (f *fixture) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// admit records a file with other content than all before.
func (f *fixture) admit(source string, change func(*store.Admission)) int64 {
	f.t.Helper()
	f.n++
	sum := sha256.Sum256(fmt.Append(nil, f.n))
	a := store.Admission{
		Inbox: store.Folder{Path: "/srv/docusort/inbox"}, Source: source, SHA256: sum[:],
		Identity:    store.Identity{Device: 1, Inode: f.n, Size: int64(1000 + f.n), ModTime: 1, ChangeTime: 1},
		ContentType: "application/pdf",
		SubmitRequest: store.SubmitRequest{Options: []string{"invoice", "receipt"}, ReuseWithin: time.Hour,
			Outcome: func(float64) store.State { return store.Filed }},
	}
	if change != nil {
		change(&a)
	}
	got, err := f.s.Admit(f.ctx, a)
	f.ok(err)
	return got.ID
}

func (f *fixture) drop(source string) int64 { f.t.Helper(); return f.admit(source, nil) }

func (f *fixture) submit(id int64) {
	f.t.Helper()
	_, err := f.s.Submitting(f.ctx, id, store.SubmitRequest{Options: []string{"invoice", "receipt"}})
	f.ok(err)
}

func (f *fixture) pend(source string) int64 {
	f.t.Helper()
	id := f.drop(source)
	f.submit(id)
	err := f.s.Accepted(f.ctx, id, fmt.Sprintf("job-%d", id))
	f.ok(err)
	return id
}

func (f *fixture) identify(source, kind string, confidence float64, outcome store.State) int64 {
	f.t.Helper()
	id := f.pend(source)
	err := f.s.Identified(f.ctx, id, store.Answer{Type: kind, Confidence: confidence, Outcome: outcome, Polls: 1})
	f.ok(err)
	return id
}

func (f *fixture) move(id int64, target string) {
	f.t.Helper()
	stale, err := f.s.Target(f.ctx, []store.Targeted{{ID: id, Sorted: store.Folder{Path: sortedRoot}, Target: target}})
	f.ok(err)
	if len(stale) > 0 {
		f.t.Fatalf("document %d has nowhere to go", id)
	}
	f.moved(id)
}

// moved records that a document lies at its target.
func (f *fixture) moved(id int64) {
	f.t.Helper()
	_, err := f.s.Moved(f.ctx, []int64{id})
	f.ok(err)
}

func (f *fixture) file(source, kind string, confidence float64) int64 {
	f.t.Helper()
	id := f.identify(source, kind, confidence, store.Filed)
	f.move(id, kind+"/"+filepath.Base(source))
	return id
}

func (f *fixture) fail(source, reason string) int64 {
	f.t.Helper()
	id := f.admit(source, func(a *store.Admission) { a.Failure = reason })
	f.move(id, "_failed/"+filepath.Base(source))
	return id
}

// stuck marks those that are in trouble, of which there must be n.
func (f *fixture) stuck(n int64) {
	f.t.Helper()
	got, err := f.s.MarkStuck(f.ctx, time.Now())
	f.ok(err)
	if got != n {
		f.t.Fatalf("%d documents are stuck", got)
	}
}

// says checks that a text has all of these in it.
func (f *fixture) says(text string, want ...string) {
	f.t.Helper()
	for _, part := range want {
		if !strings.Contains(text, part) {
			f.t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// saysNot checks that it has none of these.
func (f *fixture) saysNot(text string, parts ...string) {
	f.t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			f.t.Errorf("%q is in:\n%s", part, text)
		}
	}
}

// pass lets time pass.
func (f *fixture) pass(d time.Duration) { time.Sleep(d) }

// read hands the record as it is now to f.
func (f *fixture) read(g func(*store.Reader)) {
	f.t.Helper()
	r, err := store.OpenReader(f.ctx, f.path)
	f.ok(err)
	defer r.Close()
	g(r)
}

type renderer func(context.Context, io.Writer, *store.Reader, Options) error

func (f *fixture) render(render renderer, o Options) string {
	f.t.Helper()
	if o.Now.IsZero() {
		o.Now = time.Now().UTC()
	}
	var b bytes.Buffer
	f.read(func(r *store.Reader) { f.ok(render(f.ctx, &b, r, o)) })
	return b.String()
}

// fill makes a record with something of every kind. What happens takes 9 s.
func (f *fixture) fill() {
	f.t.Helper()
	f.ok(f.s.Started(f.ctx, 4711))
	f.pass(26*time.Hour + 3*time.Minute)
	first := f.admit("2026/scan.pdf", nil)
	f.submit(first)
	f.ok(f.s.Refused(f.ctx, first, store.Refusal{Reason: "502: <html>bad gateway</html>", OutcomeUnknown: true}))
	f.submit(first)
	err := f.s.Accepted(f.ctx, first, "job-1")
	f.ok(err)
	f.pass(2500 * time.Millisecond)
	err = f.s.Identified(f.ctx, first, store.Answer{Type: "invoice", Confidence: 0.99, Outcome: store.Filed, Polls: 1})
	f.ok(err)
	f.move(first, "invoice/scan.pdf")
	again := f.admit("2026/again.pdf", func(a *store.Admission) { f.same(a, first) })
	f.move(again, "invoice/again-2.pdf")
	slow := f.identify("a rather long name of a receipt, photographed in a train from Hamburg to Zürich.jpg",
		"receipt", 0.95, store.Filed)
	f.pass(6500 * time.Millisecond)
	f.move(slow, "receipt/a rather long name of a receipt, photographed in a train from Hamburg to Zürich.jpg")
	f.move(f.identify("unsure.png", "receipt", 0.4, store.Review), "_review/receipt/unsure.png")
	f.file("請求書2026年11月分の控え.pdf", "invoice", 0.97)
	f.fail("notes.docx", "unsupported format: Word document")
	f.fail("mail.eml", "unsupported format: e-mail")
	f.fail("mail-2.eml", "unsupported format: e-mail")
	f.ok(f.s.Gone(f.ctx, f.drop("taken-away.pdf"), "taken out of the inbox before it was filed"))
	f.admit("private/secret.pdf", func(a *store.Admission) {
		a.SHA256, a.Blocked = nil, "may not be read: permission denied; let the user docusort read it"
	})
	f.stuck(1)
	refused := f.drop("refused.pdf")
	f.submit(refused)
	f.ok(f.s.Refused(f.ctx, refused, store.Refusal{Reason: "503: Internal server error: Failed to start processing",
		RetryAt: time.Now().Add(time.Minute)}))
	f.drop("new.pdf")
	f.submit(f.drop("uploading.pdf"))
	f.pend("in flight.pdf")
	stuck := f.identify("stuck.pdf", "invoice", 0.8, store.Filed)
	f.ok(f.s.SetMoveError(f.ctx, stuck, "move to invoice: permission denied", time.Now().Add(time.Minute)))
	f.ok(f.s.SetNotTaken(f.ctx, []store.NotTaken{
		{Path: "scans/2026-11 a long name that tells what it is.pdf", Reason: "cut short", Since: time.Now().Add(-3 * time.Minute)},
		{Path: "new\xff.jpg", Reason: "waiting for its turn", Since: time.Now()},
		{Path: "just now.pdf", Reason: "empty", Since: time.Now().Add(80 * time.Second)},
	}))
}

func (f *fixture) same(a *store.Admission, id int64) {
	f.t.Helper()
	d, err := f.s.Document(f.ctx, id)
	f.ok(err)
	a.SHA256 = d.SHA256
}

// crowd adds n documents of all sorts.
func (f *fixture) crowd(n int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"invoice", "receipt", "contract", "delivery_note", "purchase_order_confirmation_of_suppliers", "other"}
	for i := range n {
		f.pass(time.Duration(rnd.IntN(5000)) * time.Millisecond)
		name := fmt.Sprintf("scanner-%d/Scan_2026-11-%02d_%04d.pdf", i%3, 1+i%28, i)
		switch kind := kinds[rnd.IntN(len(kinds))]; i % 12 {
		case 3:
			f.fail(name, fmt.Sprintf("the service could not read it: page %d is blank or too dark to be told apart from others", i))
		case 5:
			f.move(f.identify(name, kind, rnd.Float64()/2, store.Review), "_review/"+kind+fmt.Sprintf("/Scan-%d.pdf", i))
		case 7:
			f.pend(name)
		default:
			f.file(name, kind, 0.7+rnd.Float64()*0.3)
		}
	}
	f.file("evil\x1b[2J\x1b]0;owned\a\u202efdp.exe\n1  filed  fake.pdf", "invoice", 1)
	f.file("not-utf8-\xff\xfe.pdf", "invoice", 1)
	f.file("각각-decomposed-한글-été-👨‍👩‍👧-❤️.pdf", "other", 1)
}

// everything is what --format json --documents gives, as a reader of it would
// declare it.
type everything struct {
	Version     *int              `json:"version"`
	GeneratedAt *string           `json:"generated_at"`
	Since       *string           `json:"since"`
	Daemon      *daemonJSON       `json:"daemon"`
	Totals      *totalsJSON       `json:"totals"`
	Types       []typeJSON        `json:"types"`
	Latency     *latencyJSON      `json:"latency_seconds"`
	Oldest      *float64          `json:"oldest_unfinished_seconds"`
	Requests    *requestsJSON     `json:"requests"`
	Failures    []reasonCountJSON `json:"failures"`
	Stuck       []reasonCountJSON `json:"stuck"`
	NotTaken    []notTakenJSON    `json:"not_taken"`
	Documents   *[]documentJSON   `json:"documents,omitempty"`
}

func decode(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string,
) everything {
	t.Helper()
	var e everything
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one object:\n%s", text)
	}
	return e
}
