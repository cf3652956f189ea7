package report

import (
	"fmt"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// maxReasons is how many reasons a terminal shows.
const maxReasons = 10

// types lists how many documents were filed under each type. The name of a type
// gives way where the terminal is narrow.
func (t *table) types(types []store.TypeCount) {
	if len(types) == 0 {
		return
	}
	rows := [][]string{{"TYPE", "FILED", "REVIEW", "CONFIDENCE"}}
	for _, c := range types {
		rows = append(rows, []string{display.Printable(c.Type), display.Count(c.Filed), display.Count(c.Review),
			fmt.Sprintf("%.2f", c.MeanConfidence)})
	}
	var widths [4]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], display.Width(cell))
		}
	}
	if t.width > 0 {
		widths[0] = min(widths[0], max(t.width-widths[1]-widths[2]-widths[3]-6, 8))
	}
	t.line("")
	for i, row := range rows {
		name := row[0]
		if t.width > 0 {
			name = display.CutMiddle(name, widths[0])
		}
		line := display.Pad(name, widths[0])
		for j, cell := range row[1:] {
			line += "  " + display.PadLeft(cell, widths[j+1])
		}
		if i == 0 {
			line = t.paint(bold, line)
		}
		t.line(line)
	}
}

func (t *table) failures(s *store.Summary) {
	if s.Totals[store.Failed] == 0 {
		return
	}
	t.title("Failed")
	t.reasons(s.Failures, s.Totals[store.Failed], red)
	t.hangIn(dim, "  ", "They are in _failed. docusort report --documents --state failed lists them; "+wording.RetryHint)
}

func (t *table) troubles(reasons []store.Reason) {
	if len(reasons) == 0 {
		return
	}
	t.title("Not filed yet because")
	t.reasons(reasons, wording.Sum(reasons), yellow)
}

// reasons lists why, with how many of all documents each reason stands for.
func (t *table) reasons(reasons []store.Reason, total int, s style) {
	limit := len(reasons)
	if t.width > 0 {
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

// dealings says how long documents took, and what the service was asked.
func (t *table) dealings(s *store.Summary) {
	t.line("")
	if s.Latency != nil {
		t.fact("Time to file", wording.Latency(s.Latency))
	}
	t.fact("Requests", wording.Requests(s.Requests))
}
