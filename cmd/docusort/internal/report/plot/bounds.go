package plot

import (
	"fmt"
	"slices"
	"time"

	"docusort/store"
)

// maxBuckets is about how many columns can still be told apart on a phone.
const maxBuckets = 60

const day = 24 * time.Hour

// steps are how long a bucket may be.
var steps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 182 * day, 364 * day,
}

// Bounds divides the time between two moments into about 60 buckets at most. They
// begin at times that are round in the time zone of the second.
func Bounds(from, to time.Time) []time.Time {
	from = from.In(to.Location())
	if from.After(to) {
		from = to
	}
	step := steps[len(steps)-1]
	if i := slices.IndexFunc(steps, func(step time.Duration) bool { return to.Sub(from) <= maxBuckets*step }); i >= 0 {
		step = steps[i]
	}
	midnight := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	bound := func(n int) time.Time { return midnight.AddDate(0, 0, n*int(step/day)) }
	if step < day {
		// Real time, not the clock's: a day with a clock change has 23 or 25 hours.
		start := midnight.Add(from.Sub(midnight).Truncate(step))
		bound = func(n int) time.Time { return start.Add(time.Duration(n) * step) }
	}
	bounds := []time.Time{bound(0)}
	for i := 1; !bounds[i-1].After(to); i++ {
		bounds = append(bounds, bound(i))
	}
	return bounds
}

// label is the text below a place on the time axis.
type label struct {
	X      float64
	Anchor string
	Text   string
}

// apart is the least distance of two labels in percent: on a phone they must not
// touch.
const apart = 19

func labels(buckets []store.Bucket) []label {
	n := len(buckets)
	if n == 0 {
		return nil
	}
	format, round := axis(buckets[n-1].To.Sub(buckets[0].From))
	var out []label
	next := 0.0
	for i, b := range buckets {
		x := 100 * float64(i) / float64(n)
		if !round(b.From) || x < next || x > 94 || i > 0 && x < 6 {
			continue
		}
		l := label{X: hundredths(x), Anchor: "middle", Text: b.From.Format(format)}
		next = x + apart
		if i == 0 {
			l.Anchor = "start"
			next += apart / 2
		}
		out = append(out, l)
	}
	return out
}

// axis returns the format of labels for a span of time, and where they may stand.
func axis(span time.Duration) (format string, round func(time.Time) bool) {
	every := func(hours int) func(time.Time) bool {
		return func(t time.Time) bool { return t.Minute() == 0 && t.Hour()%hours == 0 }
	}
	switch {
	case span > 400*day:
		return "Jan 2006", func(time.Time) bool { return true }
	case span > 48*time.Hour:
		return "2 Jan", every(24)
	case span > 25*time.Hour:
		return "15:04", every(6)
	case span > 12*time.Hour:
		return "15:04", every(3)
	case span > 5*time.Hour:
		return "15:04", every(1)
	}
	return "15:04", func(t time.Time) bool { return t.Minute()%10 == 0 }
}

func spanText(from, to time.Time) string {
	if from.Hour() == 0 && from.Minute() == 0 && to.Sub(from) >= 23*time.Hour {
		last := to.AddDate(0, 0, -1)
		if last.Format(time.DateOnly) == from.Format(time.DateOnly) {
			return from.Format("2 Jan 2006")
		}
		return fmt.Sprintf("%s to %s", from.Format("2 Jan"), last.Format("2 Jan 2006"))
	}
	return fmt.Sprintf("%s to %s", from.Format("2 Jan 15:04"), to.Format("15:04"))
}
