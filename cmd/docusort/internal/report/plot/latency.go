package plot

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// mark is a time on the vertical axis of latencies.
type mark struct {
	at   time.Duration
	text string
}

// marks are the times that the axis can begin and end at. Each is about six or ten
// times the one before, so that what takes seconds and what takes hours, because
// the service was away, show in one drawing.
var marks = []mark{
	{0, "0"}, {100 * time.Millisecond, "0.1 s"}, {time.Second, "1 s"}, {10 * time.Second, "10 s"},
	{time.Minute, "1 min"}, {10 * time.Minute, "10 min"}, {time.Hour, "1 h"}, {6 * time.Hour, "6 h"}, {36 * time.Hour, "36 h"},
	{10 * day, "10 d"}, {60 * day, "60 d"}, {365 * day, "365 d"}, {3650 * day, "3650 d"},
}

// Latency draws how long documents took from the inbox to their folder: a bar from
// the median to the 95th percentile for each bucket.
func Latency(buckets []store.Bucket) template.HTML {
	c := chart{
		ID: "plot-latency", Title: "Time to file", Nothing: "Nothing was filed in this period.",
		Legend: []key{{"half within", "p50"}, {"95 % within", "p95"}},
		Head:   []string{"Time", "Half within", "95 % within", "The longest"},
		Labels: labels(buckets),
	}
	lo, hi := time.Duration(math.MaxInt64), time.Duration(0)
	for _, b := range buckets {
		if b.Latency != nil {
			lo, hi = min(lo, b.Latency.P50), max(hi, b.Latency.P95)
		}
	}
	if lo <= hi {
		c.Desc = fmt.Sprintf("The median is %s or more, the 95th percentile %s or less.",
			display.Duration(lo), display.Duration(hi))
		c.addLatencies(buckets, newScale(lo, hi))
	}
	return c.html()
}

func (c *chart) addLatencies(buckets []store.Bucket, s scale) {
	for _, m := range slices.Backward(s) {
		c.Ticks = append(c.Ticks, m.text)
		c.Rules = append(c.Rules, hundredths(s.y(m.at)))
	}
	for i, b := range buckets {
		l := b.Latency
		if l == nil {
			continue
		}
		span, middle, top := spanText(b.From, b.To), s.y(l.P50), s.y(l.P95)
		c.Columns = append(c.Columns, column{
			Title: span + ": " + wording.Latency(l),
			Boxes: []box{
				at(i, len(buckets), "p95", top, max(middle-top, 1)),
				at(i, len(buckets), "p50", max(middle-2, 0), 4),
			},
		})
		c.Rows = append(c.Rows, []string{span, display.Duration(l.P50), display.Duration(l.P95), display.Duration(l.Max)})
	}
}

// scale is a part of the marks, drawn at equal distances.
type scale []mark

func newScale(lo, hi time.Duration) scale {
	first, last := 0, len(marks)-1
	for first+1 < last && marks[first+1].at <= lo {
		first++
	}
	for last > first+1 && marks[last-1].at >= hi {
		last--
	}
	return marks[first : last+1]
}

// y is where a time stands, in pixels from the top.
func (s scale) y(d time.Duration) float64 {
	i := 1
	for i < len(s)-1 && d > s[i].at {
		i++
	}
	low, high := float64(s[i-1].at), float64(s[i].at)
	share := (float64(d) - low) / (high - low)
	if low > 0 { // logarithmic, as the distances between the marks are
		share = math.Log(float64(d)/low) / math.Log(high/low)
	}
	return height - height/float64(len(s)-1)*(float64(i-1)+min(max(share, 0), 1))
}
