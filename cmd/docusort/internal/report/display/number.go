package display

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count writes a number with separators between its thousands.
func Count(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return sign + b.String()
}

// Things writes how many there are of something whose plural ends in s.
func Things(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + thing + "s"
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

var units = []struct {
	length time.Duration
	name   string
}{{year, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}

// Age writes how long something has lasted in one unit, of which there are at
// least two: "90 s", "3 min", "26 h", "12 d".
func Age(d time.Duration) string {
	for _, u := range units {
		if d >= 2*u.length || d >= u.length && u.length == time.Second {
			return Count(int(d/u.length)) + " " + u.name
		}
	}
	return "0 s"
}

// Duration writes a duration with as many digits as people care for: "850 ms",
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
	for i, u := range units {
		if d < u.length {
			continue
		}
		text := Count(int(d/u.length)) + " " + u.name
		if i+1 < len(units) {
			if rest := d % u.length / units[i+1].length; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "0 s" // not reached: ten seconds are enough for the last unit
}

// Clock writes a time in now's time zone, without the date where it is now's.
func Clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Moment writes a time together with how far it is from now: "14:02 (3 min
// ago)", "2026-08-01 00:00 (in 29 d)".
func Moment(t, now time.Time) string {
	if d := now.Sub(t); d >= 0 {
		return Clock(t, now) + " (" + Age(d) + " ago)"
	} else {
		return Clock(t, now) + " (in " + Age(-d) + ")"
	}
}
