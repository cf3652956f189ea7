package plot

import (
	_ "embed"
	"html/template"
	"math"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// height is that of the drawing without the labels below, in pixels.
const height = 150

//go:embed chart.html
var source string

var chartTemplate = template.Must(template.New("chart").Parse(source))

type chart struct {
	ID, Title, Desc string
	Legend          []key
	Ticks           []string  // of the vertical axis, from the top
	Rules           []float64 // where they are
	Labels          []label
	Columns         []column
	Head            []string
	Rows            [][]string
	Nothing         string // said in place of an empty drawing
}

type key struct{ Name, Class string }

type column struct {
	Title string
	Boxes []box
}

type box struct {
	Class      string
	X, Y, W, H float64
}

func (c chart) html() template.HTML {
	var b strings.Builder
	if err := chartTemplate.Execute(&b, c); err != nil {
		panic(err) // a mistake in the template
	}
	return template.HTML(b.String()) // #nosec: escaped by the template
}

// part is one of the numbers that a column is stacked from.
type part struct {
	key
	of func(*store.Bucket) int
}

var (
	filed  = part{key{"filed", "filed"}, func(b *store.Bucket) int { return b.Filed }}
	review = part{key{"in review", "review"}, func(b *store.Bucket) int { return b.Review }}
	failed = part{key{"failed", "failed"}, func(b *store.Bucket) int { return b.Failed }}
	gone   = part{key{"gone", "gone"}, func(b *store.Bucket) int { return b.Gone }}
)

// Throughput draws how many documents were finished, and how.
func Throughput(buckets []store.Bucket) template.HTML {
	c := stack(buckets, filed, review, failed, gone)
	c.ID, c.Title = "plot-throughput", "Documents finished"
	c.Nothing = "Nothing was finished in this period."
	return c.html()
}

// Failures draws how many documents could not be identified.
func Failures(buckets []store.Bucket) template.HTML {
	c := stack(buckets, failed)
	c.ID, c.Title = "plot-failures", "Documents failed"
	c.Nothing, c.Legend = "Nothing failed in this period.", nil
	return c.html()
}

// stack draws a column for each bucket, stacked from the parts that there are.
func stack(buckets []store.Bucket, parts ...part) chart {
	c := chart{Head: []string{"Time"}, Labels: labels(buckets)}
	var shown []part
	var words []string
	for _, p := range parts {
		if n := sum([]part{p}, buckets...); n > 0 {
			shown, words = append(shown, p), append(words, display.Count(n)+" "+p.Name)
			c.Head, c.Legend = append(c.Head, p.Name), append(c.Legend, p.key)
		}
	}
	most := 0
	for _, b := range buckets {
		most = max(most, sum(shown, b))
	}
	c.Desc = strings.Join(words, ", ") + "; at most " + display.Count(most) + " per interval."
	if most == 0 {
		return c
	}
	top := niceTop(most)
	c.Ticks = []string{display.Count(top), display.Count(top / 2), "0"}
	c.Rules = []float64{0, height / 2, height}
	for i := range buckets {
		c.addStack(buckets, i, shown, float64(top))
	}
	return c
}

func sum(parts []part, buckets ...store.Bucket) (n int) {
	for _, b := range buckets {
		for _, p := range parts {
			n += p.of(&b)
		}
	}
	return n
}

func (c *chart) addStack(buckets []store.Bucket, i int, parts []part, top float64) {
	span := spanText(buckets[i].From, buckets[i].To)
	row, y := []string{span}, float64(height)
	var col column
	var words []string
	for _, p := range parts {
		n := p.of(&buckets[i])
		row = append(row, display.Count(n))
		if n == 0 {
			continue
		}
		h := max(float64(n)/top*height, 1.5) // seen, however little it is beside the rest
		y -= h
		words = append(words, display.Count(n)+" "+p.Name)
		col.Boxes = append(col.Boxes, at(i, len(buckets), p.Class, max(y, 0), h))
	}
	if len(words) > 0 {
		col.Title = span + ": " + strings.Join(words, ", ")
		c.Columns, c.Rows = append(c.Columns, col), append(c.Rows, row)
	}
}

// at is a box in the i-th of n columns.
func at(i, n int, class string, y, h float64) box {
	w := 100 / float64(n)
	return box{Class: class, X: hundredths(w * (float64(i) + 0.1)), W: hundredths(w * 0.8), Y: hundredths(y), H: hundredths(h)}
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

// niceTop is an even number, n or more, that is easy to read.
func niceTop(n int) int {
	for scale := 1; ; scale *= 10 {
		for _, m := range []int{2, 4, 6, 10} {
			if m*scale >= n {
				return m * scale
			}
		}
	}
}
