package display

import (
	"testing"
	"time"
)

// gives checks what a function gives for each key of a table.
func gives[K, V comparable](t *testing.T, name string, f func(K) V, table map[K]V) {
	t.Helper()
	for in, want := range table {
		if got := f(in); got != want {
			t.Errorf("%s(%#v) = %#v, want %#v", name, in, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	gives(t, "Count", Count, map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"})
	gives(t, "Size", Size, map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 123_456: "123 kB", 4_230_000: "4.2 MB"})
	gives(t, "Things", func(n int) string { return Things(n, "poll") }, map[int]string{0: "0 polls", 1: "1 poll", 1204: "1,204 polls"})
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		-time.Second:                  {"0 s", "0 s"},
		850 * time.Millisecond:        {"850 ms", "0 s"},
		3190 * time.Millisecond:       {"3.1 s", "3 s"},
		12400 * time.Millisecond:      {"12 s", "12 s"},
		time.Minute:                   {"1 min", "60 s"},
		4*time.Minute + 5*time.Second: {"4 min 5 s", "4 min"},
		26 * time.Hour:                {"1 d 2 h", "26 h"},
		50 * time.Hour:                {"2 d 2 h", "2 d"},
		3*year + 40*day:               {"3 y 40 d", "3 y"},
		200 * year:                    {"200 y", "200 y"},
		24*time.Hour + 5*time.Minute:  {"1 d", "24 h"},
	} {
		if got := [2]string{Duration(d), Age(d)}; got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestMoments(t *testing.T) {
	zone := time.FixedZone("CEST", 2*60*60)
	now := time.Date(2026, 7, 2, 0, 30, 0, 0, zone)
	for at, want := range map[time.Time]string{
		time.Date(2026, 7, 1, 22, 27, 0, 0, time.UTC): "00:27 (3 min ago)",
		time.Date(2026, 7, 1, 21, 30, 0, 0, time.UTC): "2026-07-01 23:30 (60 min ago)",
		time.Date(2026, 7, 31, 22, 0, 0, 0, time.UTC): "2026-08-01 00:00 (in 29 d)",
	} {
		if got := Moment(at, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	at := time.Date(2026, 7, 1, 22, 27, 5, 0, time.UTC)
	if got := ClockSeconds(at, now) + ", " + ClockSeconds(at, now.AddDate(0, 0, 1)); got != "00:27:05, 2026-07-02 00:27:05" {
		t.Errorf("got %q", got)
	}
}
