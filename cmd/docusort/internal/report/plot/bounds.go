package plot

import (
	"fmt"
	"slices"
	"time"

	"docusort/store"
)

// maxBuckets is about how many columns can still be told apart on a phone.
const maxBuckets = 60

// leastSpan is drawn at least: a single column says nothing about when.
const leastSpan = 15 * time.Minute

const day = 24 * time.Hour

// steps are how long a bucket may be.
var steps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 56 * day, 91 * day, 182 * day, 364 * day,
}

// stepOf returns the shortest step of which most are enough for a span.
func stepOf(span, most time.Duration) time.Duration {
	if i := slices.IndexFunc(steps, func(step time.Duration) bool { return span <= most*step }); i >= 0 {
		return steps[i]
	}
	return steps[len(steps)-1]
}

// Bounds divides the time between two moments into about 60 buckets at most. They
// begin at times that are round in the time zone of the second.
func Bounds(from, to time.Time) []time.Time {
	from = from.In(to.Location())
	if to.Sub(from) < leastSpan {
		from = to.Add(-leastSpan)
	}
	step := stepOf(to.Sub(from), maxBuckets)
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

// label stands below a place on the time axis, in two lines: the time of day above
// its day, or the day above its year. The second line is on the first label of each.
type label struct {
	X           float64
	Text, Below string
}

// maxLabels is how many labels have room on a phone.
const maxLabels = 5

func labels(buckets []store.Bucket) (out []label) {
	if len(buckets) == 0 {
		return nil
	}
	from, to := buckets[0].From, buckets[len(buckets)-1].To
	step := stepOf(to.Sub(from), maxLabels)
	format, below := "2 Jan", "2006"
	switch {
	case step < day:
		format, below = "15:04", "2 Jan"
	case to.Sub(from) > 400*day:
		format = "Jan"
	}
	days, minutes, last := int(step/day), int(step%day/time.Minute), ""
	for n := 0; len(out) < maxLabels; n++ {
		at := time.Date(from.Year(), from.Month(), from.Day()+n*days, 0, n*minutes, 0, 0, from.Location())
		x := 100 * float64(at.Sub(from)) / float64(to.Sub(from))
		if x > 90 { // the text would not fit
			return out
		}
		if x < 0 {
			continue
		}
		l := label{X: hundredths(x), Text: at.Format(format), Below: at.Format(below)}
		if l.Below == last {
			l.Below = ""
		} else {
			last = l.Below
		}
		out = append(out, l)
	}
	return out
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
