package report

import (
	"context"
	"io"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/health"
	"docusort/store"
)

// Table writes the report for people, fitted to o.Width. No name or reason in
// it, however odd, adds a line or a column. Two spaces separate columns, and no
// name contains two.
func Table(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	daemon, err := r.Daemon(ctx)
	if err != nil {
		return err
	}
	s, err := r.Summary(ctx, o.Filter)
	if err != nil {
		return err
	}
	t := &table{page: newPage(w, o), now: o.now(), filter: o.Filter}
	t.daemon(daemon)
	t.hold(daemon.Hold)
	t.line("")
	t.scope()
	if total(s.Totals) == 0 {
		t.nothing()
		return t.w.Flush()
	}
	t.counts(&s, daemon.Running)
	t.types(s.Types)
	t.failures(&s)
	t.troubles(s.Troubles)
	t.dealings(&s)
	if o.Documents {
		if err := t.documents(ctx, r); err != nil {
			return err
		}
	}
	return t.w.Flush()
}

type table struct {
	*page
	now    time.Time
	filter store.Filter
}

func (t *table) daemon(d store.Daemon) {
	line := health.OfDaemon(d, t.now)
	t.hang(t.paint(colors[line.Level], line.Level.Mark())+" ", line.Text)
}

var colors = map[health.Level]style{health.Fine: green, health.Notice: yellow, health.Trouble: red}

func (t *table) hold(h *store.Hold) {
	if h == nil {
		return
	}
	line := health.OfHold(h, t.now)
	t.hang(t.paint(colors[line.Level], health.Trouble.Mark())+" ", line.Text)
	t.hangIn(colors[line.Level], "  ", display.Prose(h.Reason))
	t.hang("  ", health.Meaning(h.Kind))
}

// scope says what was left out.
func (t *table) scope() {
	if only := health.Scope(t.filter, t.now); only != "" {
		t.hang("", only)
		t.line("")
	}
}

func (t *table) nothing() {
	if t.filter != (store.Filter{}) {
		t.hang("", "There are none.")
		return
	}
	t.hang("", "There is nothing to report yet. Drop a document into the inbox, and it shows up here.")
}

// count is a number of documents and what they are.
type count struct {
	n     int
	word  string
	style style
}

func (t *table) counts(s *store.Summary, running bool) {
	n := s.Totals
	underway := t.countLine(
		count{n[store.Waiting], "waiting", plain}, count{n[store.Submitting], "uploading", plain},
		count{n[store.Pending], "pending", plain}, count{n[store.Identified], "identified", plain})
	if underway == "" {
		underway = "none"
	}
	t.hang(t.label("Unfinished"), underway)
	if !s.Oldest.IsZero() {
		text := "seen first at " + display.Moment(s.Oldest, t.now)
		if !running {
			text += "; it goes on when docusort starts again"
		}
		t.hang(t.label("  the oldest"), text)
	}
	finished := t.countLine(
		count{n[store.Filed], "filed", green}, count{n[store.Review], "in review", yellow},
		count{n[store.Failed], "failed", red}, count{n[store.Gone], "gone", plain})
	if finished == "" {
		finished = "none"
	}
	t.hang(t.label("Finished"), finished)
}

// countLine joins the counts that are not 0.
func (t *table) countLine(counts ...count) string {
	var parts []string
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, t.paint(c.style, display.Count(c.n)+" "+c.word))
		}
	}
	return strings.Join(parts, ", ")
}

// label begins a line of facts.
func (t *table) label(text string) string { return t.paint(dim, display.Pad(text, 14)) }

func total(totals map[store.State]int) int {
	sum := 0
	for _, n := range totals {
		sum += n
	}
	return sum
}
