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

// A row of refusals ends with a request that gets through, also where one that
// was made with it is refused and answered first: only a row that lasts ends a
// run that is to end, and only within a row do pauses of our own grow.
func TestRowOfRefusalsEndsWithWhatGotThrough(t *testing.T) {
	for _, order := range []string{"accepted first", "refused first"} {
		atDoor(t, 0, func(d *door) {
			d.times(7, sub(1), answered(429))
			one, two := d.pass(ask(1)), d.pass(sub(2))
			again := d.now()
			same(t, "the row lasted", again, 123*time.Second)
			if order == "accepted first" {
				d.done(one, nil)
				d.done(two, answered(429))
			} else {
				d.done(two, answered(429))
				d.done(one, nil)
			}
			h, _, _ := d.shown(time.Now())
			same(t, order+": shown since", h.Since.Sub(d.begun), again)
			when, _ := d.ask(sub(2), nil)
			same(t, order+": paused for", when-again, time.Second)
		})
	}
}

// Without a refusal nothing waits, whatever was sent.
func TestNoLimitNoPace(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		for range 10_000 {
			d.ask(sub(1), nil)
		}
		same(t, "took", d.now(), 0)
	})
}

// A few documents that are dropped after a rest go at once, however slow the pace
// that was learned.
func TestBurstAfterARest(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		s := &limited{limit: &fixedWindow{n: 60, window: time.Minute}}
		end := d.saturate(s, 8, 4)
		time.Sleep(10 * time.Minute)
		end()
		time.Sleep(10 * time.Minute)
		begun := d.now()
		for range 30 {
			d.done(d.pass(sub(1)), s.request(true))
		}
		if took := d.now() - begun; took > time.Second {
			t.Errorf("30 requests took %s", took)
		}
	})
}

// The pace is forgotten when nothing is refused any more.
func TestPaceIsForgotten(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		s := &limited{limit: &fixedWindow{n: 60, window: time.Minute}}
		end := d.saturate(s, 8, 4)
		time.Sleep(10 * time.Minute)
		s.is(&fixedWindow{n: 1e9, window: time.Minute})
		time.Sleep(30 * time.Minute)
		end()
		if d.learned.top != 0 {
			t.Errorf("still %.1f requests a second", d.learned.pace())
		}
	})
	atDoor(t, 0, func(d *door) {
		e := answered(429)
		e.RetryAfter = time.Minute
		d.times(20, ask(1), nil)
		d.ask(ask(1), e)
		d.ask(ask(1), nil)
		time.Sleep(25 * time.Hour)
		same(t, "the next", d.times(1, ask(1), nil)[0], 25*time.Hour+time.Minute)
		same(t, "after a day, pace", d.learned.top, 0)
	})
}

// A limit of a day is waited out as the service says; it is no pace.
func TestLimitOfADayIsNoPace(t *testing.T) {
	atDoor(t, 0, func(d *door) {
		e := answered(429)
		e.RetryAfter = 3 * time.Hour
		d.times(100, ask(1), nil)
		d.ask(ask(1), e)
		for range 100 {
			when, _ := d.ask(sub(1), nil)
			same(t, "at", when, 3*time.Hour)
		}
	})
}
