package status

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"docusort/store"
)

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	s, url := w.serve()
	s.cache.tally.until = time.Now().Add(-time.Minute) // whatever the steps of the record's times
	w.file("a.pdf", "invoice")
	w.file("b.pdf", "odd\xff\ntype")
	w.fail("c.eml", "unsupported format")
	w.pend("d.pdf")
	w.drop("e.pdf")
	w.stuck("f.pdf")
	w.ok(w.store.SetHold(w.ctx, &store.Hold{Kind: store.HoldDisk, Reason: "full"}))
	s.cfg.Meter.Observe("submit", 202, 300*time.Millisecond)
	s.cfg.Meter.Observe("submit", 0, time.Second)
	s.cfg.Meter.Observe("document types", 429, time.Millisecond)
	// What was finished a moment ago is counted a moment later.
	r, err := store.OpenReader(w.ctx, w.path)
	w.ok(err)
	defer r.Close()
	w.ok(s.cache.tally.catchUp(w.ctx, r, time.Now().Add(2*tallyDelay)))
	_, body := w.get(url + "/metrics")
	w.contains(body,
		`docusort_build_info{commit="abc",goversion="go1.`, `version="1.2.3"} 1`,
		`docusort_documents_finished_total{outcome="filed"} 2`, `docusort_documents_finished_total{outcome="failed"} 1`,
		`docusort_documents_finished_total{outcome="gone"} 0`,
		`docusort_documents_typed_total{type="invoice"} 1`, `docusort_documents_typed_total{type="odd\\xff\\x0atype"} 1`,
		`docusort_document_duration_seconds_count 2`, `docusort_job_duration_seconds_count`,
		`docusort_documents_unfinished{state="pending"} 1`, `docusort_documents_unfinished{state="waiting"} 2`, `docusort_documents_stuck 1`,
		`docusort_documents_unfinished{state="submitting"} 0`, `docusort_oldest_unfinished_age_seconds `,
		`docusort_hold{kind="disk"} 1`, `docusort_hold{kind="account"} 0`, `docusort_hold{kind="inbox"} 0`, `docusort_healthy 0`, `docusort_record_readable 1`,
		`docusort_api_requests_total{code="202",operation="submit"} 1`, `docusort_api_requests_total{code="none",operation="submit"} 1`,
		`docusort_api_requests_total{code="429",operation="document_types"} 1`,
		`docusort_api_request_duration_seconds_count{operation="submit"} 2`,
		`docusort_answers_reused_total 0`, `docusort_resubmissions_total 0`, `go_goroutines`, `process_cpu_seconds_total`)
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	w.ok(err)
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "docusort_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Counting goes on where it was, whatever was asked in between, and also where
// the database could not be read.
func TestNothingIsCountedTwice(t *testing.T) {
	w := newWorld(t)
	tally := newTally(time.Now().Add(-3 * time.Hour))
	count := func(now time.Time) {
		t.Helper()
		r, err := store.OpenReader(w.ctx, w.path)
		w.ok(err)
		defer r.Close()
		w.ok(tally.catchUp(w.ctx, r, now))
	}
	w.file("a.pdf", "invoice")
	count(time.Now()) // too early
	w.file("b.pdf", "invoice")
	later := time.Now().Add(time.Minute)
	count(later)
	count(later)
	closed, err := store.OpenReader(w.ctx, w.path)
	w.ok(err)
	w.ok(closed.Close())
	if tally.catchUp(w.ctx, closed, later.Add(time.Hour)) == nil {
		t.Error("a closed reader was read")
	}
	count(later.Add(time.Hour))
	if got := tally.total(t); got != 2 {
		t.Errorf("%v were counted of 2", got)
	}
}

// total is how many documents were counted.
func (t *tally) total(tt *testing.T) (n float64) {
	tt.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(t.finished)
	families, err := reg.Gather()
	if err != nil {
		tt.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n += m.GetCounter().GetValue()
		}
	}
	return n
}

// A service that answers anything fills no memory.
func TestTypesAreBounded(t *testing.T) {
	tally := newTally(time.Now())
	for i := range 2 * maxTypes {
		tally.typeLabel(strings.Repeat("x", i+1))
	}
	if len(tally.types) != maxTypes || tally.typeLabel("y") != "(others)" || tally.typeLabel("x") != "x" {
		t.Errorf("%d types", len(tally.types))
	}
}
