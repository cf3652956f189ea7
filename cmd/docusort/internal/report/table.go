package report

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// Table writes the report for people, fitted to o.Width. No name or reason adds a
// line or a column: two spaces separate columns, and no name contains two.
func Table(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	daemon, err := r.Daemon(ctx)
	if err != nil {
		return err
	}
	s, err := r.Summary(ctx, o.Filter)
	if err != nil {
		return err
	}
	t := &table{lines: lines{w: bufio.NewWriter(w), width: o.Width, color: o.Color}, now: o.now(), filter: o.Filter}
	t.daemon(daemon)
	t.line("")
	if scope := wording.Scope(t.filter, t.now); scope != "" {
		t.hang("", scope)
		t.line("")
	}
	if nothing := wording.Nothing(s.Totals, t.filter); nothing != "" {
		t.hang("", nothing)
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
	lines
	now    time.Time
	filter store.Filter
}

var levelStyles = map[wording.Level]style{wording.Fine: green, wording.Notice: yellow, wording.Trouble: red}

// daemon says whether the daemon runs, and what it waits for.
func (t *table) daemon(d store.Daemon) {
	line := wording.Daemon(d, t.now)
	t.hang(t.paint(levelStyles[line.Level], line.Level.Mark())+" ", line.Text)
	if hold := wording.Hold(d.Hold, t.now); hold != nil {
		s := levelStyles[hold.Level]
		t.hang(t.paint(s, wording.Trouble.Mark())+" ", hold.Text)
		t.hangIn(s, "  ", hold.Reason)
		t.hang("  ", hold.Advice)
	}
}

func (t *table) counts(s *store.Summary, running bool) {
	t.fact("Unfinished", t.countsOf(s.Totals, false))
	if !s.Oldest.IsZero() {
		text := "first seen at " + display.Moment(s.Oldest, t.now)
		if !running {
			text += "; work continues when docusort starts again"
		}
		t.fact("  the oldest", text)
	}
	t.fact("Finished", t.countsOf(s.Totals, true))
}

var stateStyles = map[store.State]style{store.Filed: green, store.Review: yellow, store.Failed: red}

func (t *table) countsOf(totals map[store.State]int, finished bool) string {
	var parts []string
	for _, c := range wording.Counts(totals, finished) {
		parts = append(parts, t.paint(stateStyles[c.State], c.Text))
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// fact writes a line with a label.
func (t *table) fact(label, text string) { t.hang(t.paint(dim, display.Pad(label, 14)), text) }
