package web

import (
	"context"
	"fmt"
	"html/template"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/health"
	"docusort/cmd/docusort/internal/report/plot"
	"docusort/store"
)

// Overview is what a page says of the record beside its documents.
type Overview struct {
	Now     time.Time // its location is that of all times shown
	Filter  store.Filter
	Daemon  store.Daemon
	Summary store.Summary
	Buckets []store.Bucket
}

// Look reads the overview of what the filter leaves in.
func Look(ctx context.Context, r *store.Reader, f store.Filter, now time.Time) (*Overview, error) {
	o := &Overview{Now: now, Filter: f}
	var err error
	if o.Daemon, err = r.Daemon(ctx); err != nil {
		return nil, err
	}
	if o.Summary, err = r.Totals(ctx, f); err != nil {
		return nil, err
	}
	from := f.Since
	if from.IsZero() {
		if from, err = r.FirstFinished(ctx); err != nil || from.IsZero() {
			return o, err
		}
	}
	series, err := r.Series(ctx, f, plot.Bounds(from, now))
	o.Buckets, o.Summary.Latency = series.Buckets, series.Latency
	return o, err
}

// Health is the line that a page begins with.
func (o *Overview) Health() health.Line { return health.OfDaemon(o.Daemon, o.Now) }

// Hold is the line about a hold.
func (o *Overview) Hold() health.Line { return health.OfHold(o.Daemon.Hold, o.Now) }

// HoldReason is why, in the words of who caused it.
func (o *Overview) HoldReason() string { return display.Prose(o.Daemon.Hold.Reason) }

// HoldMeaning is what to do about it.
func (o *Overview) HoldMeaning() string { return health.Meaning(o.Daemon.Hold.Kind) }

// Scope says what was left out.
func (o *Overview) Scope() string { return health.Scope(o.Filter, o.Now) }

// Tile is a number that is seen first.
type Tile struct{ Value, Name, Class, Note string }

// Tiles are the numbers of what was finished and of what is to be done.
func (o *Overview) Tiles() []Tile {
	n := o.Summary.Totals
	open := n[store.Waiting] + n[store.Submitting] + n[store.Pending] + n[store.Identified]
	tiles := []Tile{
		{display.Count(n[store.Filed]), "filed", "filed", ""},
		{display.Count(n[store.Review]), "in review", "review", ""},
		{display.Count(n[store.Failed]), "failed", "failed", ""},
		{display.Count(open), "unfinished", "open", o.openNote()},
	}
	if n[store.Gone] > 0 {
		tiles = append(tiles, Tile{display.Count(n[store.Gone]), "gone before they were filed", "gone", ""})
	}
	if l := o.Summary.Latency; l != nil {
		tiles = append(tiles, Tile{display.Duration(l.P50), "half are filed within", "took",
			fmt.Sprintf("95 %% within %s, the longest %s", display.Duration(l.P95), display.Duration(l.Max))})
	}
	return tiles
}

func (o *Overview) openNote() string {
	n, text := o.Summary.Totals, ""
	for _, c := range []struct {
		n    int
		word string
	}{{n[store.Waiting], "waiting"}, {n[store.Submitting], "uploading"}, {n[store.Pending], "pending"}, {n[store.Identified], "identified"}} {
		if c.n > 0 {
			text += fmt.Sprintf("%s %s, ", display.Count(c.n), c.word)
		}
	}
	if text != "" {
		text += "the oldest since " + display.Moment(o.Summary.Oldest, o.Now)
	}
	return text
}

// Nothing says that there is nothing to show at all.
func (o *Overview) Nothing() string {
	for _, n := range o.Summary.Totals {
		if n > 0 {
			return ""
		}
	}
	if o.Filter != (store.Filter{}) {
		return "There are none."
	}
	return "There is nothing to report yet. Drop a document into the inbox, and it shows up here."
}

// Plots draws what happened over time.
func (o *Overview) Plots() []template.HTML {
	plots := []template.HTML{plot.Throughput(o.Buckets), plot.Latency(o.Buckets)}
	if o.Summary.Totals[store.Failed] > 0 {
		plots = append(plots, plot.Failures(o.Buckets))
	}
	return plots
}

// Bar is a row of a list with a bar for how many there are.
type Bar struct {
	Name       string
	Count      string
	Parts      []BarPart
	Review     string
	Confidence string
}

// BarPart is a piece of a bar, in percent.
type BarPart struct {
	Class string
	X, W  float64
}

// Types lists the types that documents were filed under.
func (o *Overview) Types() []Bar {
	most := 1
	for _, t := range o.Summary.Types {
		most = max(most, t.Filed+t.Review)
	}
	var bars []Bar
	for _, t := range o.Summary.Types {
		f, r := 100*float64(t.Filed)/float64(most), 100*float64(t.Review)/float64(most)
		bars = append(bars, Bar{
			Name: display.Printable(t.Type), Count: display.Count(t.Filed), Review: display.Count(t.Review),
			Confidence: fmt.Sprintf("%.2f", t.MeanConfidence),
			Parts:      []BarPart{{"filed", 0, f}, {"review", f, r}},
		})
	}
	return bars
}

// Failures lists why documents failed.
func (o *Overview) Failures() []Bar {
	return reasons(o.Summary.Failures, o.Summary.Totals[store.Failed], "failed")
}

// Troubles lists why documents are not filed yet.
func (o *Overview) Troubles() []Bar {
	all := 0
	for _, t := range o.Summary.Troubles {
		all += t.Count
	}
	return reasons(o.Summary.Troubles, all, "review")
}

// maxReasons is how many are listed by themselves.
const maxReasons = 20

func reasons(list []store.Reason, all int, class string) []Bar {
	var bars []Bar
	most := 1
	for i, r := range list {
		if i == maxReasons {
			break
		}
		most = max(most, r.Count)
		text := display.Prose(r.Reason)
		if text == "" {
			text = "no reason was recorded"
		}
		all -= r.Count
		bars = append(bars, Bar{Name: text, Count: display.Count(r.Count),
			Parts: []BarPart{{class, 0, 100 * float64(r.Count) / float64(most)}}})
	}
	if all > 0 && len(bars) > 0 {
		bars = append(bars, Bar{Name: "for other reasons", Count: display.Count(all)})
	}
	return bars
}

// Requests says what the service was asked.
func (o *Overview) Requests() string {
	q := o.Summary.Requests
	text := display.Things(q.Submissions, "submission")
	if q.Resubmissions > 0 {
		text += fmt.Sprintf(" (%s made again)", display.Count(q.Resubmissions))
	}
	text += ", " + display.Things(q.Polls, "poll")
	if q.Reused > 0 {
		text += "; " + display.Things(q.Reused, "answer") + " reused"
	}
	return text
}
