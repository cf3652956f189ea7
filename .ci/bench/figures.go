package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// figure is one row of the table, with a value from each run.
type figure struct {
	name, what, unit string
	values           []float64
}

// add adds a value to the row of this name in the current case.
func (b *bench) add(what, unit string, value float64) {
	fmt.Fprintf(os.Stderr, "  %s: %s %s\n", what, digits(value), unit)
	i := slices.IndexFunc(b.figures, func(f *figure) bool { return f.name == b.name && f.what == what })
	if i < 0 {
		i = len(b.figures)
		b.figures = append(b.figures, &figure{name: b.name, what: what, unit: unit})
	}
	b.figures[i].values = append(b.figures[i].values, value)
}

// print writes the table: the median of each row, and the range of several values.
func (b *bench) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\ncase\twhat\tmedian\tunit\trange")
	last := ""
	for _, f := range b.figures {
		name, spread := f.name, ""
		if name == last {
			name = ""
		}
		last = f.name
		if n := len(f.values); n > 1 {
			spread = fmt.Sprintf("%s – %s of %d", digits(slices.Min(f.values)), digits(slices.Max(f.values)), n)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, f.what, digits(quantile(f.values, 0.5)), f.unit, spread)
	}
}

// quantile interpolates between the two nearest values.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	below := int(at)
	return v[below] + (at-float64(below))*(v[min(below+1, len(v)-1)]-v[below])
}

// digits formats three significant digits, or all of those before the point.
func digits(x float64) string {
	if x >= 1000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
