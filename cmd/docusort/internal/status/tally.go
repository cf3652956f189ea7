package status

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// tallyDelay is how old the end of a document must be before it counts. What is
// being committed now has a time from just before, and must not be missed.
const tallyDelay = 5 * time.Second

// maxTypes is how many types are counted by name: a service that answers anything
// must not fill the memory of whoever collects.
const maxTypes = 100

// tally counts what was finished since the daemon started. Whenever somebody asks,
// it reads on from where it was, so that it never counts down. Totals of the
// database do, when old documents leave it.
type tally struct {
	until                time.Time
	types                map[string]bool
	finished, filed      *prometheus.CounterVec
	resubmitted, reused  prometheus.Counter
	duration, jobSeconds prometheus.Histogram
}

func newTally(now time.Time) *tally {
	counters := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	seconds := func(name, help string, more ...float64) prometheus.Histogram {
		buckets := append([]float64{0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600}, more...)
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	t := &tally{
		until: now, types: make(map[string]bool),
		finished: counters("docusort_documents_finished_total", "Documents finished since the daemon started, by outcome.", "outcome"),
		filed: counters("docusort_documents_typed_total",
			"Documents filed or put aside for review since the daemon started, by type.", "type"),
		resubmitted: counter("docusort_resubmissions_total",
			"Submissions of finished documents made after one that was accepted or whose outcome is unknown."),
		reused: counter("docusort_answers_reused_total", "Documents finished by the answer for identical content."),
		duration: seconds("docusort_document_duration_seconds", "From the discovery of a document to its filing or review.",
			4*3600, 24*3600),
		jobSeconds: seconds("docusort_job_duration_seconds",
			"From the last submission of a document to its answer, reused ones left out."),
	}
	for _, s := range store.States() {
		if s.Finished() {
			t.finished.WithLabelValues(string(s)) // 0 is a value, too
		}
	}
	return t
}

func (t *tally) collectors() []prometheus.Collector {
	return []prometheus.Collector{t.finished, t.filed, t.resubmitted, t.reused, t.duration, t.jobSeconds}
}

// tallyStep is how much time is read at once. If reading fails, none of it counts.
const tallyStep = time.Hour

// catchUp counts what was finished until shortly before now.
func (t *tally) catchUp(ctx context.Context, r *store.Reader, now time.Time) error {
	until := now.Add(-tallyDelay)
	for t.until.Before(until) {
		end := t.until.Add(min(tallyStep, until.Sub(t.until)))
		var batch []store.Document
		err := r.FinishedBetween(ctx, t.until, end, func(d *store.Document) error {
			batch = append(batch, *d)
			return nil
		})
		if err != nil {
			return err
		}
		t.count(batch)
		t.until = end
	}
	return nil
}

func (t *tally) count(batch []store.Document) {
	for _, d := range batch {
		t.finished.WithLabelValues(string(d.State)).Inc()
		t.resubmitted.Add(float64(d.Resubmissions))
		if d.Reused {
			t.reused.Inc()
		} else if d.IdentifiedAt.After(d.SubmittedAt) && !d.SubmittedAt.IsZero() {
			t.jobSeconds.Observe(d.IdentifiedAt.Sub(d.SubmittedAt).Seconds())
		}
		if d.State == store.Filed || d.State == store.Review {
			t.filed.WithLabelValues(t.typeLabel(d.Type)).Inc()
			t.duration.Observe(max(0, d.FinishedAt.Sub(d.DiscoveredAt).Seconds()))
		}
	}
}

func (t *tally) typeLabel(code string) string {
	name := display.Printable(code)
	if !t.types[name] && len(t.types) >= maxTypes {
		return "(others)"
	}
	t.types[name] = true
	return name
}
