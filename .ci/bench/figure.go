package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// figure is what was measured of one thing.
type figure struct {
	Scenario string    `json:"scenario"`
	What     string    `json:"what"`
	Goal     string    `json:"goal,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Median   float64   `json:"median"`
	Min      float64   `json:"min"`
	Max      float64   `json:"max"`
	Values   []float64 `json:"values"`
	Note     string    `json:"note,omitempty"`
}

// spread fills in the middle and the ends.
func (f *figure) spread() {
	v := slices.Clone(f.Values)
	slices.Sort(v)
	f.Median, f.Min, f.Max = quantile(v, 0.5), v[0], v[len(v)-1]
}

// quantile returns that of sorted values; between two of them, a mixture.
func quantile(v []float64, q float64) float64 {
	at := q * float64(len(v)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(v)-1)
	return v[below] + (at-float64(below))*(v[above]-v[below])
}

// quantileOf is quantile for values in any order.
func quantileOf(v []float64, q float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return quantile(v, q)
}

// report adds a figure. Without values there is nothing to tell.
func (b *bench) report(what, goal, unit string, values []float64, note string) {
	if len(values) == 0 {
		return
	}
	f := figure{Scenario: b.scenario, What: what, Goal: goal, Unit: unit, Values: values, Note: note}
	f.spread()
	b.figures = append(b.figures, f)
	b.say("  %s: %s %s", what, f.middle(), f.ends())
}

func (f *figure) middle() string {
	if f.Unit == "" {
		return short(f.Median)
	}
	return short(f.Median) + " " + f.Unit
}

func (f *figure) ends() string {
	if len(f.Values) == 1 {
		return ""
	}
	return fmt.Sprintf("%s – %s of %d", short(f.Min), short(f.Max), len(f.Values))
}

// short shows three digits, and no more decimals than those.
func short(x float64) string {
	if x == 0 || math.Abs(x) >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	return strconv.FormatFloat(x, 'f', min(digits, 5), 64)
}

// print shows all figures.
func (b *bench) print(w io.Writer) error {
	if b.options.json {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(struct {
			Machine machine  `json:"machine"`
			Figures []figure `json:"figures"`
		}{b.machine, b.figures})
	}
	rows := [][]string{{"", "what", "goal", "figure", "spread", ""}}
	last := ""
	for _, f := range b.figures {
		name := f.Scenario
		if name == last {
			name = ""
		}
		last = f.Scenario
		rows = append(rows, []string{name, f.What, f.Goal, f.middle(), f.ends(), f.Note})
	}
	_, err := fmt.Fprintf(w, "%s\n\n%s", b.machine.describe(), table(rows))
	return err
}

// table lays rows out in columns as wide as they need to be.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return text.String()
}
