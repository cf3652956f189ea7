package pipeline

import (
	"sync"
	"testing"
	"time"
)

// limits are the kinds of limits that services have. perSecond is what one takes
// for long.
var limits = []struct {
	name      string
	make      func() limiter
	how       telling
	perSecond float64
}{
	{"window of 600 a minute", func() limiter { return &fixedWindow{n: 600, window: time.Minute} }, inSeconds, 10},
	{"window of 600 a minute, silent", func() limiter { return &fixedWindow{n: 600, window: time.Minute} }, silent, 10},
	{"window of 600 a minute, by the clock", func() limiter { return &fixedWindow{n: 600, window: time.Minute, byClock: true} }, inSeconds, 10},
	{"window of 60 a minute", func() limiter { return &fixedWindow{n: 60, window: time.Minute} }, inSeconds, 1},
	{"window of 60 a minute, exact", func() limiter { return &fixedWindow{n: 60, window: time.Minute} }, exactly, 1},
	{"window of 60 a minute, silent", func() limiter { return &fixedWindow{n: 60, window: time.Minute} }, silent, 1},
	{"window of 10 a minute", func() limiter { return &fixedWindow{n: 10, window: time.Minute} }, inSeconds, 1. / 6},
	{"window of 10 a minute, silent", func() limiter { return &fixedWindow{n: 10, window: time.Minute} }, silent, 1. / 6},
	{"window of 200 in 20 s", func() limiter { return &fixedWindow{n: 200, window: 20 * time.Second} }, inSeconds, 10},
	{"window of 10 a second", func() limiter { return &fixedWindow{n: 10, window: time.Second} }, inSeconds, 10},
	{"log of 60 a minute", func() limiter { return &slidingLog{n: 60, window: time.Minute} }, inSeconds, 1},
	{"log of 60 a minute, exact", func() limiter { return &slidingLog{n: 60, window: time.Minute} }, exactly, 1},
	{"log of 600 a minute, silent", func() limiter { return &slidingLog{n: 600, window: time.Minute} }, silent, 10},
	{"bucket of 10 a second, burst 600", func() limiter { return &bucket{perSecond: 10, burst: 600} }, inSeconds, 10},
	{"bucket of 1 a second, burst 60", func() limiter { return &bucket{perSecond: 1, burst: 60} }, inSeconds, 1},
	{"bucket of 1 a second, burst 60, silent", func() limiter { return &bucket{perSecond: 1, burst: 60} }, silent, 1},
	{"bucket of 1.7 a second, burst 5", func() limiter { return &bucket{perSecond: 1.7, burst: 5} }, inSeconds, 1.7},
	{"bucket of 10 a second, burst 5, silent", func() limiter { return &bucket{perSecond: 10, burst: 5} }, silent, 10},
	{"even pace of 1 a second", func() limiter { return &bucket{perSecond: 1, burst: 1} }, inSeconds, 1},
	{"even pace of 1 a second, exact", func() limiter { return &bucket{perSecond: 1, burst: 1} }, exactly, 1},
	{"even pace of 1 a second, silent", func() limiter { return &bucket{perSecond: 1, burst: 1} }, silent, 1},
	{"even pace of 2 a second", func() limiter { return &bucket{perSecond: 2, burst: 1} }, inSeconds, 2},
}

// However a limit works and whatever it tells, nearly all of it is used and few
// requests are refused, from the first one on.
func TestLimitsAreUsed(t *testing.T) {
	for _, c := range limits {
		t.Run(c.name, func(t *testing.T) {
			atDoor(t, 0, func(d *door) {
				s := &limited{limit: c.make(), how: c.how}
				defer d.saturate(s, 8, 4)()
				span := max(duration(4000/c.perSecond), 30*time.Minute)
				used, refused := s.shares(span, c.perSecond)
				t.Logf("%-40s used %5.1f %%, refused %5.2f %%", c.name, used, refused)
				if used < 95 || refused >= 2 {
					t.Errorf("used %.1f %%, refused %.2f %%", used, refused)
				}
			})
		})
	}
}

// A limit that changes is found again: a lower one soon, a higher one in the
// course of a few hundred requests.
func TestLimitThatChanges(t *testing.T) {
	steps := []struct{ perMinute, used, refused float64 }{
		{120, 94, 2}, {60, 93, 2}, {15, 80, 4}, {30, 60, 2}, {120, 60, 2}, {120, 93, 2},
	}
	for name, kind := range map[string]func(perMinute float64) limiter{
		"window": func(n float64) limiter { return &fixedWindow{n: int(n), window: time.Minute} },
		"log":    func(n float64) limiter { return &slidingLog{n: int(n), window: time.Minute} },
		"bucket": func(n float64) limiter { return &bucket{perSecond: n / 60, burst: 10} },
		"even":   func(n float64) limiter { return &bucket{perSecond: n / 60, burst: 1} },
	} {
		for how, told := range map[telling]string{inSeconds: "in seconds", silent: "silent"} {
			if how == silent && (name == "log" || name == "even") {
				continue // it takes long to try
			}
			t.Run(name+" "+told, func(t *testing.T) {
				atDoor(t, 0, func(d *door) {
					s := &limited{how: how}
					for i, step := range steps {
						s.is(kind(step.perMinute))
						if i == 0 {
							defer d.saturate(s, 8, 4)()
						}
						used, refused := s.shares(time.Hour, step.perMinute/60)
						t.Logf("%v a minute: used %.1f %%, refused %.2f %%", step.perMinute, used, refused)
						if used < step.used || refused >= step.refused {
							t.Errorf("step %d, %v a minute: used %.1f %%, refused %.2f %%", i, step.perMinute, used, refused)
						}
					}
				})
			})
		}
	}
}

// Of a limit that others use as well, what they leave is used.
func TestLimitThatIsShared(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		s := &limited{limit: &fixedWindow{n: 300, window: time.Minute}}
		defer d.saturate(s, 8, 4)()
		for _, others := range []int{0, 150, 0, 200, 100} {
			stop := make(chan struct{})
			var all sync.WaitGroup
			if others > 0 {
				all.Go(func() { s.use(time.Minute/time.Duration(others), stop) })
			}
			used, refused := s.shares(time.Hour, float64(300-others)/60)
			close(stop)
			all.Wait()
			t.Logf("others take %d of 300 a minute: of the rest used %.1f %%, refused %.2f %%", others, used, refused)
			if used < 88 || refused >= 2 {
				t.Errorf("others take %d: used %.1f %%, refused %.2f %%", others, used, refused)
			}
		}
	})
}
