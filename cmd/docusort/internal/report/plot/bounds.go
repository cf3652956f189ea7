package plot

import (
	"fmt"
	"time"
)

// maxBuckets is about how many columns can still be told apart on a phone.
const maxBuckets = 60

// steps are the lengths of a bucket within a day; days are those beyond.
var (
	steps = []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	days = []int{1, 2, 7, 14, 28, 91, 182, 364}
)

const day = 24 * time.Hour

// Bounds divides the time from one moment to after another into up to 60 parts
// or so, at times that people find round in the time zone of the second.
func Bounds(from, to time.Time) []time.Time {
	from = from.In(to.Location())
	if from.After(to) {
		from = to
	}
	midnight := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	span := to.Sub(from)
	for _, step := range steps {
		if span <= maxBuckets*step {
			// Real time, not the clock's: a day with a clock change has 23 or 25 hours.
			start := midnight.Add(from.Sub(midnight).Truncate(step))
			bounds := []time.Time{start}
			for !bounds[len(bounds)-1].After(to) {
				bounds = append(bounds, bounds[len(bounds)-1].Add(step))
			}
			return bounds
		}
	}
	n := days[len(days)-1]
	for _, d := range days {
		if span <= maxBuckets*time.Duration(d)*day {
			n = d
			break
		}
	}
	bounds := []time.Time{midnight}
	for i := 1; !bounds[i-1].After(to); i++ {
		bounds = append(bounds, midnight.AddDate(0, 0, i*n))
	}
	return bounds
}

// label is the text below a place on the time axis.
type label struct {
	X      float64
	Anchor string
	Text   string
}

// apart is how far from each other two labels are at the least, in percent: on
// a phone they must not touch.
const apart = 19

// labels names up to five of the bounds, at times that people find round.
func labels(bounds []time.Time) []label {
	n := len(bounds) - 1
	if n < 1 {
		return nil
	}
	format, nice := axis(bounds[n].Sub(bounds[0]))
	var out []label
	next := 0.0
	for i := range n {
		x := 100 * float64(i) / float64(n)
		if !nice(bounds[i]) || x < next || x > 94 || i > 0 && x < 6 {
			continue
		}
		l := label{X: round(x), Anchor: "middle", Text: bounds[i].Format(format)}
		next = x + apart
		if i == 0 {
			l.Anchor = "start"
			next += apart / 2
		}
		out = append(out, l)
	}
	return out
}

// axis says how labels of so much time are written, and where one may stand.
func axis(span time.Duration) (format string, nice func(time.Time) bool) {
	every := func(hours int) func(time.Time) bool {
		return func(t time.Time) bool { return t.Minute() == 0 && t.Hour()%hours == 0 }
	}
	switch {
	case span > 400*day:
		return "Jan 2006", func(time.Time) bool { return true }
	case span > 48*time.Hour:
		return "2 Jan", every(24)
	case span > 24*time.Hour+time.Hour:
		return "15:04", every(6)
	case span > 12*time.Hour:
		return "15:04", every(3)
	case span > 5*time.Hour:
		return "15:04", every(1)
	}
	return "15:04", func(t time.Time) bool { return t.Minute()%10 == 0 }
}

// spanText says in words what a bucket is.
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
