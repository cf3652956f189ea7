package gate_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"docusort/pipeline/gate"
)

// simulated returns limits of that many requests a minute, of each kind that services
// have.
func simulated(perMinute int) map[string]limiter {
	n, perSecond := perMinute, float64(perMinute)/60
	all := map[string]limiter{
		"window":          &window{n: n, span: time.Minute},
		"window by clock": &window{n: n, span: time.Minute, byClock: true},
		"log":             &slidingLog{n: n, span: time.Minute},
		"bucket":          &bucket{perSecond: perSecond, burst: float64(n)},
		"small bucket":    &bucket{perSecond: perSecond, burst: 5},
		"even pace":       &bucket{perSecond: perSecond, burst: 1},
	}
	if n >= 60 {
		all["window of a second"] = &window{n: n / 60, span: time.Second}
	}
	return all
}

// However a limit works and whatever its refusals tell, nearly all of it is used, and
// few requests are refused.
func TestLimitsAreUsed(t *testing.T) {
	for _, perMinute := range []int{10, 60, 300, 600, 6000} {
		for _, silent := range []bool{false, true} {
			for name, limit := range simulated(perMinute) {
				if raceEnabled && perMinute > 600 {
					continue // thousands of requests say nothing more of races
				}
				if name == "even pace" && perMinute > 600 {
					continue // a hundred a second and no burst at all: used to 41 % in the worst of many runs
				}
				t.Run(fmt.Sprintf("%s of %d a minute, silent %v", name, perMinute, silent), func(t *testing.T) {
					inBubble(t, 0, func(d *door) {
						s := &service{limit: limit, silent: silent, perMinute: float64(perMinute)}
						defer d.saturate(s, 16, 12)()
						time.Sleep(10 * time.Minute)
						span := time.Hour
						if perMinute > 600 {
							span /= 6 // as many requests
						}
						used, refused := s.shares(span, float64(perMinute))
						least, most := 95.0, 2.0
						if silent || perMinute == 10 || perMinute > 600 || name == "even pace" && perMinute == 600 {
							least, most = 88, 3
						}
						if used < least || refused >= most {
							t.Errorf("used %.1f %%, refused %.2f %%", used, refused)
						}
					})
				})
			}
		}
	}
}

// A limit that is lowered is respected soon, and one that is raised is found in the
// course of an hour.
func TestLimitThatChanges(t *testing.T) {
	steps := []struct{ perMinute, used, refused float64 }{
		{120, 93, 2}, {60, 95, 2}, {15, 75, 5}, {30, 75, 2}, {120, 78, 2}, {600, 80, 2}, {600, 95, 2},
	}
	for name, kind := range map[string]func(n float64) limiter{
		"window": func(n float64) limiter { return &window{n: int(n), span: time.Minute} },
		"log":    func(n float64) limiter { return &slidingLog{n: int(n), span: time.Minute} },
		"bucket": func(n float64) limiter { return &bucket{perSecond: n / 60, burst: 10} },
		"even":   func(n float64) limiter { return &bucket{perSecond: n / 60, burst: 1} },
	} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, silent %v", name, silent), func(t *testing.T) {
				inBubble(t, 0, func(d *door) {
					s := &service{silent: silent, limit: kind(120)}
					defer d.saturate(s, 8, 4)()
					for _, step := range steps {
						s.setLimit(kind(step.perMinute))
						used, refused := s.shares(time.Hour, step.perMinute)
						if used < step.used || refused >= step.refused {
							t.Errorf("%v a minute: used %.1f %%, refused %.2f %%", step.perMinute, used, refused)
						}
					}
				})
			})
		}
	}
}

// Of a limit that others use as well, what they leave is used.
func TestLimitThatIsShared(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		s := &service{limit: &window{n: 300, span: time.Minute}}
		defer d.saturate(s, 8, 4)()
		for _, others := range []int{0, 150, 0, 200, 100} {
			stop := make(chan struct{})
			var all sync.WaitGroup
			if others > 0 {
				all.Go(func() { s.useByOthers(time.Minute/time.Duration(others), stop) })
			}
			used, refused := s.shares(time.Hour, float64(300-others))
			close(stop)
			all.Wait()
			t.Logf("others take %d of 300 a minute: of the rest used %.1f %%, refused %.2f %%", others, used, refused)
			if used < 90 || refused >= 2 {
				t.Errorf("others take %d: used %.1f %%, refused %.2f %%", others, used, refused)
			}
		}
	})
}

// One that is refused although it came alone, because others used the limit up, slows
// those that follow down for some minutes only.
func TestOneRefusalSlowsForMinutesOnly(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		s := &service{limit: &window{n: 600, span: time.Minute}}
		end := d.saturate(s, 8, 4)
		time.Sleep(10 * time.Minute)
		s.setLimit(&window{n: 1, span: time.Minute})
		time.Sleep(time.Minute)
		s.setLimit(&window{n: 600, span: time.Minute})
		used, _ := s.shares(10*time.Minute, 600)
		end()
		if used < 60 {
			t.Errorf("used %.1f %%", used)
		}
	})
}

// A rest in the midst of the work teaches nothing.
func TestLimitIsUsedAfterRests(t *testing.T) {
	each(t, 0, simulated(60), func(t *testing.T, d *door, limit limiter) {
		s := &service{limit: limit}
		for range 12 {
			end := d.saturate(s, 8, 4)
			time.Sleep(5 * time.Minute)
			end()
			time.Sleep(time.Hour)
		}
		defer d.saturate(s, 8, 4)()
		if used, refused := s.shares(10*time.Minute, 60); used < 90 || refused >= 3 {
			t.Errorf("used %.1f %%, refused %.2f %%", used, refused)
		}
	})
}

// Without a refusal nothing waits, whatever was sent, and long rests before the first
// refusal do not make the rate that it teaches slower.
func TestFirstRefusal(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.times(10_000, gate.Submission, 1, nil)
		same(t, "took", d.now(), time.Duration(0))
		time.Sleep(24 * time.Hour)
		d.times(60, gate.Submission, 1, nil)
		begun := d.now()
		d.poll(1, tooMany(time.Minute))
		when := d.times(11, gate.Poll, 1, nil)
		same(t, "the pause", when[0]-begun, time.Minute)
		if each := (when[10] - when[0]) / 10; each > 2*time.Second { // half of the limit at first
			t.Errorf("%s each", each)
		}
	})
}

// A limit of a day is waited out as the service says; it is no pace.
func TestLimitOfADayIsNoPace(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.times(100, gate.Poll, 1, nil)
		d.poll(1, tooMany(3*time.Hour))
		same(t, "at", d.times(100, gate.Submission, 1, nil), slices.Repeat(seconds(3*3600), 100))
	})
}

func TestRetryAfterPausesEveryRequest(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.verdict(gate.Poll, 1, tooMany(12*time.Second), gate.External)
		same(t, "hold", d.hold(), gate.Hold{
			Kind: gate.Rate, Reason: "429 Too Many Requests: told", Since: d.begun, Until: d.begun.Add(12 * time.Second),
		})
		d.passes(gate.Submission, 2, 12*time.Second)
		d.held("")
	})
}

func TestPausesWithoutRetryAfterGrow(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		same(t, "requests", d.times(8, gate.Submission, 1, tooMany(0)), seconds(0, 1, 3, 7, 15, 31, 63, 123))
		d.submit(1, nil)
		begun := d.now()
		d.submit(1, tooMany(0))
		d.passes(gate.Submission, 1, begun+time.Second)
	})
}

// Requests that were under way together meet one limit, not several. The longest pause
// that one of them was told counts.
func TestRefusalsOfManyAtOnceCountOnce(t *testing.T) {
	type test struct {
		told []time.Duration
		want time.Duration
	}
	each(t, 0, map[string]test{
		"no time":   {make([]time.Duration, 8), time.Second},
		"different": {seconds(3, 9, 5), 9 * time.Second},
	}, func(t *testing.T, d *door, c test) {
		var under []*gate.Permit
		for range c.told {
			under = append(under, d.acquire(gate.Poll))
		}
		for i, p := range under {
			p.Done(t.Context(), 1, tooMany(c.told[i]))
		}
		d.passes(gate.Poll, 1, c.want)
	})
}

// What was accepted with a request that was refused counts, in whatever order they end:
// otherwise a burst that meets its refusal first teaches nothing, each time.
func TestAcceptedBesideARefusalCounts(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		var under []*gate.Permit
		for range 11 {
			under = append(under, d.acquire(gate.Poll))
		}
		under[0].Done(t.Context(), 1, tooMany(time.Minute))
		for _, p := range under[1:] {
			p.Done(t.Context(), 1, nil)
		}
		when := d.times(3, gate.Poll, 1, nil)
		if each := when[2] - when[1]; each < 9*time.Second || each > 13*time.Second { // half of the limit at first
			t.Errorf("%s each, after 10 in a minute", each)
		}
	})
}

// A row of refusals ends with a request that gets through, also where one that was made
// with it is refused before or after: only within a row do pauses of our own grow.
func TestRowOfRefusalsEndsWithWhatGotThrough(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.times(7, gate.Submission, 1, tooMany(0))
		one, two := d.acquire(gate.Poll), d.acquire(gate.Submission)
		again := d.now()
		same(t, "the row lasted", again, 123*time.Second)
		one.Done(t.Context(), 1, nil)
		two.Done(t.Context(), 2, tooMany(0))
		same(t, "shown since", d.hold().Since.Sub(d.begun), again)
		d.passes(gate.Submission, 2, again+time.Second)
	})
}

func TestRetryNowEndsThePauseOfARefusal(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.times(20, gate.Poll, 1, nil)
		d.poll(1, tooMany(time.Minute))
		d.at(2*time.Second, d.RetryNow)
		d.passes(gate.Submission, 1, 2*time.Second)
		d.held("")
		refused, _ := d.poll(1, tooMany(time.Minute))
		d.passes(gate.Submission, 1, refused+time.Minute)
	})
}
