package plot

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// marks are the times that the vertical axis of latencies can begin and end at.
// Each is about six or ten times the one before: what takes seconds and what
// takes hours, because the service was away, are seen in one drawing.
var marks = []time.Duration{
	0, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute, 10 * time.Minute,
	time.Hour, 6 * time.Hour, 36 * time.Hour, 10 * day, 60 * day, 365 * day, 3650 * day,
}

// Latency draws how long documents took from the inbox to their folder: for each
// span of time a bar from the median to what 95 % were done within.
func Latency(buckets []store.Bucket) template.HTML {
	c := chart{
		ID: "plot-latency", Title: "Time to file", Nothing: "Nothing was filed in this time.",
		Legend: []key{{"half within", "p50"}, {"95 % within", "p95"}},
		Head:   []string{"Time", "Half within", "95 % within", "The longest"},
		Labels: labels(boundsOf(buckets)),
	}
	lo, hi := time.Duration(math.MaxInt64), time.Duration(0)
	for _, b := range buckets {
		if b.Latency != nil {
			lo, hi = min(lo, b.Latency.P50), max(hi, b.Latency.P95)
		}
	}
	if lo <= hi {
		c.Desc = fmt.Sprintf("Half of the documents took from %s on, 95 %% up to %s, by the time at which they were filed.",
			display.Duration(lo), display.Duration(hi))
		c.addLatencies(buckets, newScale(lo, hi))
	}
	return c.html()
}

func (c *chart) addLatencies(buckets []store.Bucket, s scale) {
	for i := len(s) - 1; i >= 0; i-- {
		c.Ticks = append(c.Ticks, markText(s[i]))
		c.Rules = append(c.Rules, round(s.y(s[i])))
	}
	for i, b := range buckets {
		l := b.Latency
		if l == nil {
			continue
		}
		words := []string{display.Duration(l.P50), display.Duration(l.P95), display.Duration(l.Max)}
		middle, top := s.y(l.P50), s.y(l.P95)
		c.Columns = append(c.Columns, column{
			Title: fmt.Sprintf("%s: half within %s, 95 %% within %s, the longest %s", spanText(b.From, b.To), words[0], words[1], words[2]),
			Boxes: []box{
				at(i, len(buckets), "p95", top, math.Max(middle-top, 1)),
				at(i, len(buckets), "p50", math.Max(middle-2, 0), 4),
			},
		})
		c.Rows = append(c.Rows, append([]string{spanText(b.From, b.To)}, words...))
	}
}

// scale is a part of the marks, at equal distances.
type scale []time.Duration

func newScale(lo, hi time.Duration) scale {
	first, last := 0, len(marks)-1
	for first+1 < len(marks) && marks[first+1] <= lo {
		first++
	}
	for last > first+1 && marks[last-1] >= hi {
		last--
	}
	if last == first { // longer than all marks
		first--
	}
	return marks[first : last+1]
}

// y is where a time stands, in pixels from the top.
func (s scale) y(d time.Duration) float64 {
	part := float64(height) / float64(len(s)-1)
	for i := 1; i < len(s); i++ {
		if d <= s[i] || i == len(s)-1 {
			low, high := float64(s[i-1]), float64(s[i])
			share := (float64(d) - low) / (high - low)
			if low > 0 { // between two marks as between 1 and 10 on a slide rule
				share = math.Log(float64(d)/low) / math.Log(high/low)
			}
			return height - part*(float64(i-1)+min(max(share, 0), 1))
		}
	}
	return height
}

func markText(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return "0.1 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 10*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/day)
}
