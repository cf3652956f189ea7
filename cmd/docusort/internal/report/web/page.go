package web

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/plot"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Overview is what a page says beside its documents.
type Overview struct {
	Now     time.Time // its location is that of all times shown
	Filter  store.Filter
	Daemon  store.Daemon
	Summary store.Summary
	Buckets []store.Bucket
	Source  settings.Source // of the commands that are named
}

// Read reads what the filter selects.
func (o *Overview) Read(ctx context.Context, r *store.Reader) (err error) {
	if o.Daemon, err = r.Daemon(ctx); err != nil {
		return err
	}
	if o.Summary, err = r.Summary(ctx, o.Filter); err != nil {
		return err
	}
	from := o.Filter.Since
	if from.IsZero() {
		if from, err = r.FirstFinished(ctx); err != nil || from.IsZero() {
			return err
		}
	}
	series, err := r.Series(ctx, o.Filter, plot.Bounds(from, o.Now))
	o.Buckets, o.Summary.Latency = series.Buckets, series.Latency
	return err
}

// Show makes a document fit to be shown.
func (o *Overview) Show(d *store.Document) Document { return Document{d, o.Now, o.Source} }

// ShowAll is Show for several documents.
func (o *Overview) ShowAll(docs []store.Document) []Document {
	all := make([]Document, len(docs))
	for i := range docs {
		all[i] = o.Show(&docs[i])
	}
	return all
}

// The methods below are for the templates.

func (o *Overview) Health() wording.Line    { return wording.Daemon("docusort", o.Daemon, o.Now) }
func (o *Overview) Hold() *wording.HoldLine { return wording.Hold(o.Daemon.Hold, o.Now, o.Source) }
func (o *Overview) Scope() string           { return wording.Scope(o.Filter, o.Now) }
func (o *Overview) Nothing() string         { return wording.Nothing(&o.Summary, o.Filter) }
func (o *Overview) Requests() string        { return wording.Requests(o.Summary.Requests) }
func (o *Overview) FailedHint() string      { return wording.Hint(store.Failed, o.Source) }
func (o *Overview) ReviewHint() string      { return wording.Hint(store.Review, o.Source) }
func (o *Overview) StuckHint() string       { return wording.StuckHint(o.Source) }

// InReview reports whether a person is to look at documents.
func (o *Overview) InReview() bool { return o.Summary.Totals[store.Review] > 0 }

// Open is how many documents are unfinished.
func (o *Overview) Open() (n int) {
	for state, count := range o.Summary.Totals {
		if !state.Finished() {
			n += count
		}
	}
	return n
}

// Tile is a number at the top of the page.
type Tile struct {
	Value, Name, Class, Note string
	Link                     string // to the documents; empty: none
}

// Tiles are the numbers of what was finished and of what is left to do.
func (o *Overview) Tiles() []Tile {
	n := o.Summary.Totals
	tiles := []Tile{
		{Value: display.Count(n[store.Filed]), Name: "filed", Class: "filed"},
		{Value: display.Count(n[store.Review]), Name: "in review", Class: "review"},
		{Value: display.Count(n[store.Failed]), Name: "failed", Class: "failed"},
		{Value: display.Count(o.Open()), Name: "unfinished", Class: "open", Note: o.unfinished()},
	}
	if stuck := wording.Sum(o.Summary.Stuck); stuck > 0 {
		tiles = append(tiles, Tile{Value: display.Count(stuck), Name: "stuck", Class: "stuck"})
	}
	if n[store.Gone] > 0 {
		tiles = append(tiles, Tile{Value: display.Count(n[store.Gone]), Name: "gone before they were filed", Class: "gone"})
	}
	if l := o.Summary.Latency; l != nil {
		tiles = append(tiles, Tile{Value: display.Duration(l.P50), Name: "half are filed within", Class: "took",
			Note: fmt.Sprintf("95 %% within %s, the longest %s", display.Duration(l.P95), display.Duration(l.Max))})
	}
	return tiles
}

func (o *Overview) unfinished() string {
	var text strings.Builder
	for _, c := range wording.Counts(o.Summary.Totals, false) {
		text.WriteString(c.Text + ", ")
	}
	if text.Len() > 0 {
		text.WriteString("the oldest since " + display.Moment(o.Summary.Oldest, o.Now))
	}
	return text.String()
}

func (o *Overview) Plots() []template.HTML {
	plots := []template.HTML{plot.Throughput(o.Buckets), plot.Latency(o.Buckets)}
	if o.Summary.Totals[store.Failed] > 0 {
		plots = append(plots, plot.Failures(o.Buckets))
	}
	return plots
}

// Row is a row of a list, with a bar for how many there are.
type Row struct {
	Name, Count, Review, Confidence string
	Link                            string // to the documents; empty: none
	Bar                             []BarPart
}

// BarPart is a piece of a bar, in percent.
type BarPart struct {
	Class string
	X, W  float64
}

func (o *Overview) Types() []Row {
	most := 1
	for _, t := range o.Summary.Types {
		most = max(most, t.Filed+t.Review)
	}
	var rows []Row
	for _, t := range o.Summary.Types {
		filed, review := 100*float64(t.Filed)/float64(most), 100*float64(t.Review)/float64(most)
		rows = append(rows, Row{
			Name: display.Printable(t.Type), Count: display.Count(t.Filed), Review: display.Count(t.Review),
			Confidence: wording.MeanConfidence(t),
			Bar:        []BarPart{{"filed", 0, filed}, {"review", filed, review}},
		})
	}
	return rows
}

func (o *Overview) Failures() []Row {
	return reasons(o.Summary.Failures, o.Summary.Totals[store.Failed], "failed")
}

func (o *Overview) Stuck() []Row {
	return reasons(o.Summary.Stuck, wording.Sum(o.Summary.Stuck), "failed")
}

func (o *Overview) Troubles() []Row {
	return reasons(o.Summary.Troubles, wording.Sum(o.Summary.Troubles), "review")
}

// File is a file that is no document yet.
type File struct {
	Name, Why string
	Since     Event
}

const maxFiles = 50

// NotTaken lists files that are no documents yet: the first ones of those that have waited
// for long, or all.
func (o *Overview) NotTaken(all bool) (files []File) {
	for i, f := range wording.NotTaken(o.Summary.NotTaken, o.Now, all) {
		if i == maxFiles && !all {
			break
		}
		files = append(files, File{display.Printable(f.Path), f.Reason, Event{When: display.Clock(f.Since, o.Now), Stamp: stamp(f.Since)}})
	}
	return files
}

const maxReasons = 20

// reasons makes rows of reasons, the most frequent of which comes first. What is
// left over gets no bar.
func reasons(list []store.Reason, total int, class string) []Row {
	var rows []Row
	for i, r := range wording.Reasons(list, total, maxReasons) {
		row := Row{Name: r.Reason, Count: display.Count(r.Count)}
		if i < min(len(list), maxReasons) {
			row.Bar = []BarPart{{class, 0, 100 * float64(r.Count) / float64(list[0].Count)}}
		}
		rows = append(rows, row)
	}
	return rows
}

// Style is the style sheet of every page.
//
//go:embed style.css
var Style string

//go:embed sections.html
var sections string

// Templates returns a new set of the templates of sections.html.
func Templates() *template.Template { return template.Must(template.New("sections").Parse(sections)) }
