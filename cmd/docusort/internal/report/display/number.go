package display

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Count writes a number with a comma between its thousands.
func Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Things writes a number with what it counts, whose plural ends in s.
func Things(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

// Size writes a number of bytes: "512 bytes", "123 kB", "4.2 MB", "1.0 TB".
func Size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	f, i := float64(n)/1e6, 0
	for ; f >= 1000 && i < 3; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "MGTP"[i])
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

type unit struct {
	length time.Duration
	name   string
}

var units = []unit{{year, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}

// Age writes a duration in the largest unit of which it has at least two: "90 s",
// "3 min", "26 h", "12 d".
func Age(d time.Duration) string {
	for _, u := range units {
		if d >= 2*u.length {
			return Count(int(d/u.length)) + " " + u.name
		}
	}
	return fmt.Sprintf("%d s", max(0, d/time.Second))
}

// Duration writes a duration with as much precision as people need: "850 ms",
// "3.1 s", "12 s", "4 min 5 s", "2 d 3 h".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	}
	i := slices.IndexFunc(units, func(u unit) bool { return d >= u.length })
	u := units[i]
	text := Count(int(d/u.length)) + " " + u.name
	if i+1 < len(units) {
		if rest := d % u.length / units[i+1].length; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
		}
	}
	return text
}

// Stamp writes a time for programs: as RFC 3339 in UTC with exactly three decimals, so that
// stamps sort as text.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Clock writes a time in the time zone of now, with the date unless it is today.
func Clock(t, now time.Time) string { return clock(t, now, "15:04") }

// ClockSeconds is [Clock] with seconds.
func ClockSeconds(t, now time.Time) string { return clock(t, now, time.TimeOnly) }

func clock(t, now time.Time, layout string) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = time.DateOnly + " " + layout
	}
	return t.Format(layout)
}

// Moment writes a time and how far it is from now: "14:02 (3 min ago)",
// "2026-08-01 00:00 (in 29 d)".
func Moment(t, now time.Time) string {
	distance := Age(now.Sub(t)) + " ago"
	if t.After(now) {
		distance = "in " + Age(t.Sub(now))
	}
	return Clock(t, now) + " (" + distance + ")"
}
