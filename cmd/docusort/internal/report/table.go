package report

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
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
	switch {
	case d.Running && d.StartedAt.IsZero():
		t.hang(t.paint(green, "●")+" ", "docusort is starting")
	case d.Running:
		t.hang(t.paint(green, "●")+" ", fmt.Sprintf("docusort has been running since %s, pid %d",
			display.Moment(d.StartedAt, t.now), d.PID))
	case d.StartedAt.IsZero():
		t.hang(t.paint(yellow, "○")+" ", "docusort is not running, and never was")
	case d.StoppedAt.IsZero():
		t.hang(t.paint(red, "✗")+" ", fmt.Sprintf("docusort is not running: it was killed or lost power, some time after its start at %s; "+
			"what it had begun goes on when it starts again", display.Moment(d.StartedAt, t.now)))
	default:
		t.hang(t.paint(yellow, "○")+" ", "docusort is not running: it stopped at "+display.Moment(d.StoppedAt, t.now))
	}
}

// meanings say what a hold is to whoever reads of it, and what to do.
var meanings = map[store.HoldKind]string{
	store.HoldAccount: "The service refuses this account: its key, its quota or what it may use. Mend that; " +
		"docusort asks again by itself. Meanwhile documents stay in the inbox, and none fails for it.",
	store.HoldDisk: "The disk of the database or of the sorted folder is full, broken or read-only. Mend that; " +
		"docusort tries again by itself. Meanwhile documents stay where they are, and none fails for it.",
	store.HoldService: "The service, or the way to it, is down. There is nothing to do here unless it is the network; " +
		"docusort tries again by itself. Meanwhile documents stay in the inbox, and none fails for it.",
	store.HoldRate: "The service asked for a pause, and gets it. There is nothing to do: " +
		"docusort goes on when it is over, and no document fails for it.",
}

func (t *table) hold(h *store.Hold) {
	if h == nil {
		return
	}
	text := fmt.Sprintf("on hold (%s) since %s", h.Kind, display.Moment(h.Since, t.now))
	if !h.Until.IsZero() {
		text += ", until " + display.Moment(h.Until, t.now)
	}
	mark := red
	if h.Kind == store.HoldRate {
		mark = yellow
	}
	t.hang(t.paint(mark, "✗")+" ", text)
	t.hangIn(mark, "  ", display.Prose(h.Reason))
	t.hang("  ", meanings[h.Kind])
}

// scope says what was left out.
func (t *table) scope() {
	var only []string
	if f := t.filter; !f.Since.IsZero() {
		only = append(only, "unfinished, or finished since "+display.Moment(f.Since, t.now))
	}
	if t.filter.State != "" {
		only = append(only, "in state "+display.Prose(string(t.filter.State)))
	}
	if t.filter.Type != "" {
		only = append(only, "of type "+display.Printable(t.filter.Type))
	}
	if len(only) > 0 {
		t.hang("", "Only documents "+strings.Join(only, ", and "))
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
