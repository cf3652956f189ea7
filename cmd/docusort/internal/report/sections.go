package report

import (
	"fmt"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// maxReasons is how many reasons a terminal gets; the rest is counted.
const maxReasons = 10

// numbers are the columns behind the name of a type.
var numbers = []string{"FILED", "REVIEW", "CONFIDENCE"}

func (t *table) types(types []store.TypeCount) {
	if len(types) == 0 {
		return
	}
	rows, width := make([][]string, len(types)), display.Width("TYPE")
	columns := make([]int, len(numbers))
	for i, head := range numbers {
		columns[i] = len(head)
	}
	right := 0
	for i, c := range types {
		rows[i] = []string{display.Count(c.Filed), display.Count(c.Review), fmt.Sprintf("%.2f", c.MeanConfidence)}
		for j, cell := range rows[i] {
			columns[j] = max(columns[j], len(cell))
		}
		width = max(width, display.Width(display.Printable(c.Type)))
	}
	for _, w := range columns {
		right += 2 + w
	}
	if t.width > 0 {
		width = min(width, max(t.width-right, 8))
	}
	t.line("")
	t.line(t.paint(bold, display.Pad("TYPE", width)+cells(numbers, columns)))
	for i, c := range types {
		name := display.Printable(c.Type)
		if t.width > 0 {
			name = display.CutMiddle(name, width)
		}
		t.line(display.Pad(name, width) + cells(rows[i], columns))
	}
}

// cells sets numbers against the right of their columns.
func cells(row []string, columns []int) string {
	var s string
	for i, cell := range row {
		s += "  " + display.PadLeft(cell, columns[i])
	}
	return s
}

func (t *table) failures(s *store.Summary) {
	if s.Totals[store.Failed] == 0 {
		return
	}
	t.title("Failed")
	t.reasons(s.Failures, s.Totals[store.Failed], red)
	t.hangIn(dim, "  ", "They lie in _failed. docusort report --documents --state failed lists them, "+
		"docusort retry ID puts one back into the inbox to be tried again.")
}

func (t *table) troubles(reasons []store.Reason) {
	if len(reasons) == 0 {
		return
	}
	t.title("Not filed yet, because")
	all := 0
	for _, r := range reasons {
		all += r.Count
	}
	t.reasons(reasons, all, yellow)
}

// reasons lists why, with how many documents each stands for. all is how many
// documents there are altogether: the record does not give every reason either.
func (t *table) reasons(reasons []store.Reason, all int, s style) {
	width, named := 0, 0
	for _, r := range reasons {
		width = max(width, len(display.Count(r.Count)))
	}
	shown := len(reasons)
	if t.width > 0 && shown > maxReasons {
		shown = maxReasons
	}
	for _, r := range reasons[:shown] {
		named += r.Count
		text := display.Prose(r.Reason)
		if text == "" {
			text = "no reason was recorded"
		}
		t.hang("  "+t.paint(s, display.PadLeft(display.Count(r.Count), width))+"  ", text)
	}
	if rest := all - named; rest > 0 {
		t.hang("  "+display.PadLeft(display.Count(rest), width)+"  ", "for other reasons")
	}
}

func (t *table) dealings(s *store.Summary) {
	t.line("")
	if l := s.Latency; l != nil {
		t.hang(t.label("Time to file"), fmt.Sprintf("half within %s, 95 %% within %s, the longest %s",
			display.Duration(l.P50), display.Duration(l.P95), display.Duration(l.Max)))
	}
	q := s.Requests
	text := display.Things(q.Submissions, "submission")
	if q.Resubmissions > 0 {
		text += fmt.Sprintf(" (%s made again)", display.Count(q.Resubmissions))
	}
	text += ", " + display.Things(q.Polls, "poll")
	if q.Reused > 0 {
		text += "; " + display.Things(q.Reused, "answer") + " reused"
	}
	t.hang(t.label("Requests"), text)
}
