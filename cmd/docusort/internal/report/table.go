package report

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// writeTable writes the report for people, fitted to o.Width. No name or reason adds a
// line or a column: two spaces separate columns, and no name contains two.
func writeTable(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	daemon, err := r.Daemon(ctx)
	if err != nil {
		return err
	}
	s, err := r.Summary(ctx, o.Filter)
	if err != nil {
		return err
	}
	t := &table{Options: o, w: bufio.NewWriter(w)}
	t.daemon(cmp.Or(o.Name, "docusort"), daemon)
	t.line("")
	if scope := wording.Scope(t.Filter, t.Now); scope != "" {
		t.hang("", scope)
		t.line("")
	}
	if nothing := wording.Nothing(&s, t.Filter); nothing != "" {
		t.hang("", nothing)
		return t.w.Flush()
	}
	t.counts(&s, daemon.Running)
	t.types(s.Types)
	t.failures(&s)
	t.stuck(s.Stuck)
	if err := t.review(ctx, r, &s); err != nil {
		return err
	}
	t.troubles(s.Troubles)
	t.notTaken(wording.NotTaken(s.NotTaken, t.Now, t.Documents))
	t.line("")
	if s.Latency != nil {
		t.fact("Time to file", wording.Latency(s.Latency))
	}
	t.fact("Requests", wording.Requests(s.Requests))
	if o.Documents {
		if err := t.documents(ctx, r); err != nil {
			return err
		}
	}
	if t.elsewhere != "" {
		t.line("")
		t.hangIn(dim, "", wording.ElsewhereHint(t.elsewhere, t.Sorted, t.Source))
	}
	return t.w.Flush()
}

// table writes lines, fitted to a terminal if there is one. Errors stick to the
// writer and show at the end.
type table struct {
	Options
	w         *bufio.Writer
	elsewhere string // another sorted folder than that of the settings, which a document lies in; "": none was listed
}

// path returns where a document is, which it notes; see [table.elsewhere].
func (t *table) path(d *store.Document) string {
	path := wording.Path(d)
	if path != "" && t.Sorted != "" && d.Sorted != t.Sorted {
		t.elsewhere = d.Sorted
	}
	return path
}

var levelStyles = map[wording.Level]style{wording.Fine: green, wording.Notice: yellow, wording.Trouble: red}

// daemon says whether the daemon runs, and what it waits for.
func (t *table) daemon(name string, d store.Daemon) {
	line := wording.Daemon(name, d, t.Now)
	t.hang(t.paint(levelStyles[line.Level], line.Level.Mark())+" ", line.Text)
	if hold := wording.Hold(d.Hold, t.Now, t.Source); hold != nil {
		s := levelStyles[hold.Level]
		t.hang(t.paint(s, wording.Trouble.Mark())+" ", hold.Text)
		t.hangIn(s, "  ", hold.Reason)
		t.hang("  ", hold.Advice)
	}
}

func (t *table) counts(s *store.Summary, running bool) {
	t.fact("Unfinished", t.countsOf(s.Totals, false))
	if !s.Oldest.IsZero() {
		text := "first seen at " + display.Moment(s.Oldest, t.Now)
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

func (t *table) fact(label, text string) { t.hang(t.paint(dim, display.Pad(label, 14)), text) }

// types lists how many documents were filed under each type. The name of a type
// gives way where the terminal is narrow.
func (t *table) types(types []store.TypeCount) {
	if len(types) == 0 {
		return
	}
	rows := [][]string{{"TYPE", "FILED", "REVIEW", "CONFIDENCE"}}
	for _, c := range types {
		rows = append(rows, []string{display.Printable(c.Type), display.Count(c.Filed), display.Count(c.Review), wording.MeanConfidence(c)})
	}
	columns := []column{{}, {right: true}, {right: true}, {right: true}}
	for _, row := range rows {
		widen(columns, row)
	}
	if t.Width > 0 {
		columns[0].width = min(columns[0].width, max(t.Width-columns[1].width-columns[2].width-columns[3].width-6, 8))
	}
	t.line("")
	for i, row := range rows {
		s := plain
		if i == 0 {
			s = bold
		}
		t.line(t.paint(s, strings.TrimRight(t.join(columns, row, plain), " ")))
	}
}

func (t *table) failures(s *store.Summary) {
	if s.Totals[store.Failed] == 0 {
		return
	}
	t.reasons("Failed", s.Failures, s.Totals[store.Failed], red)
	t.hint(store.Failed)
}

func (t *table) review(ctx context.Context, r *store.Reader, s *store.Summary) error {
	if s.Totals[store.Review] > 0 {
		t.line("")
		t.line(t.paint(bold, "In review"))
		if t.Filter.State == store.Review {
			return r.Documents(ctx, t.Filter, t.inReview)
		}
		t.hint(store.Review)
	}
	return nil
}

// inReview shows what a person needs to decide about a document, and how.
func (t *table) inReview(d *store.Document) error {
	t.hang(fmt.Sprintf("  %d  ", d.ID), display.Printable(t.path(d)))
	t.hang("      ", wording.Considered(d))
	return t.line("      " + t.paint(dim, display.Printable(wording.Decide(d, t.Source))))
}

// hint says what to do about documents in a state, and how to list them.
func (t *table) hint(state store.State) {
	t.hangIn(dim, "  ", wording.Hint(state, t.Source)+" "+t.Source.Command("report --documents --state "+string(state))+" lists them.")
}

func (t *table) stuck(reasons []store.Reason) {
	if len(reasons) > 0 {
		t.reasons("Stuck", reasons, wording.Sum(reasons), red)
		t.hangIn(dim, "  ", wording.StuckHint(t.Source))
	}
}

func (t *table) troubles(reasons []store.Reason) {
	if len(reasons) > 0 {
		t.reasons("Not filed yet because", reasons, wording.Sum(reasons), yellow)
	}
}

// notTaken lists files that are no documents yet: for how long, why, and their names.
func (t *table) notTaken(files []store.NotTaken) {
	if len(files) == 0 {
		return
	}
	t.line("")
	t.line(t.paint(bold, "Not taken yet"))
	shown := files
	if t.Width > 0 && !t.Documents {
		shown = files[:min(len(files), maxReasons)]
	}
	age, why := 0, 0
	for _, f := range shown {
		age, why = max(age, display.Width(display.Age(t.Now.Sub(f.Since)))), max(why, display.Width(f.Reason))
	}
	for _, f := range shown {
		head := "  " + display.PadLeft(display.Age(t.Now.Sub(f.Since)), age) + "  " + t.paint(yellow, display.Pad(f.Reason, why)) + "  "
		name := display.Printable(f.Path)
		if t.Width > 0 {
			name = display.CutMiddle(name, max(t.Width-age-why-6, 1))
		}
		t.line(head + name)
	}
	if more := len(files) - len(shown); more > 0 {
		t.hangIn(dim, "  ", "and "+display.Things(more, "more file")+"; "+t.Source.Command("report --documents")+" lists all")
	}
}

const maxReasons = 10

// reasons lists why, with how many of all documents each reason stands for.
func (t *table) reasons(title string, reasons []store.Reason, total int, s style) {
	t.line("")
	t.line(t.paint(bold, title))
	limit := len(reasons)
	if t.Width > 0 {
		limit = maxReasons
	}
	reasons = wording.Reasons(reasons, total, limit)
	width := 0
	for _, r := range reasons {
		width = max(width, len(display.Count(r.Count)))
	}
	for _, r := range reasons {
		t.hang("  "+t.paint(s, display.PadLeft(display.Count(r.Count), width))+"  ", r.Reason)
	}
}

// style is the number of the terminal's escape sequence for a style of text.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint gives a text a style, where there are colours.
func (t *table) paint(s style, text string) string {
	if !t.Color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// hang writes a text with a head before its first line. Further lines begin below
// the text.
func (t *table) hang(head, text string) { t.hangIn(plain, head, text) }

// hangIn is hang with a style for the text. Each line has its own, because pagers
// forget it at the end of a line.
func (t *table) hangIn(s style, head, text string) {
	indent, room := display.Width(head), 0
	if t.Width > 0 {
		room = max(t.Width-indent, 16) // a few words, however narrow the window
	}
	for _, line := range display.Wrap(text, room) {
		t.line(head + t.paint(s, line))
		head = strings.Repeat(" ", indent)
	}
}

// line writes a line that is known to fit, and returns the error of any write so
// far.
func (t *table) line(text string) error {
	t.w.WriteString(strings.TrimRight(text, " "))
	return t.w.WriteByte('\n')
}
