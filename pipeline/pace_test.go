package pipeline

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// times draws how long jobs take.
type times struct{ *rand.Rand }

func draw(seed uint64) times { return times{rand.New(rand.NewPCG(seed, 7))} }

// about draws n times around a median; spread is the deviation of the logarithm.
func (d times) about(n int, median time.Duration, spread float64) (all []time.Duration) {
	for range n {
		all = append(all, time.Duration(float64(median)*math.Exp(spread*d.NormFloat64())))
	}
	return all
}

// memoryless draws times of which an age says nothing. None is so short that no
// question could be asked within it.
func (d times) memoryless(n int, mean time.Duration) (all []time.Duration) {
	for range n {
		all = append(all, time.Second+time.Duration(d.ExpFloat64()*float64(mean)))
	}
	return all
}

// either draws one or the other, as for images and long documents.
func (d times) either(n int, a, b time.Duration, spread float64) (all []time.Duration) {
	for range n {
		median := a
		if d.IntN(2) == 0 {
			median = b
		}
		all = append(all, d.about(1, median, spread)...)
	}
	return all
}

// outliers makes every 20th time a hundred times longer, and every 21st as short as
// nothing.
func outliers(all []time.Duration) []time.Duration {
	for i := range all {
		switch {
		case i%20 == 19:
			all[i] *= 100
		case i%21 == 20:
			all[i] = time.Millisecond
		}
	}
	return all
}

// figuresOf are the median lateness and the mean number of questions.
func figuresOf(jobs []*attempt) (f figures) {
	var late []float64
	for _, j := range jobs {
		late = append(late, j.late)
		f.polls += float64(len(j.asked)) / float64(len(jobs))
	}
	slices.Sort(late)
	f.lateness = late[len(late)/2]
	return f
}

const seeds = 5

// All jobs count, the first ones too, of which nothing can be known: as many as
// there are places begin before any ends.
func TestAnswersOfAllJobsAreSeenEarlyWithFewQuestions(t *testing.T) {
	for _, c := range []struct {
		name            string
		times           func(times) []time.Duration
		every           time.Duration
		lateness, polls float64
	}{
		{"like the service's, 120", func(d times) []time.Duration { return d.about(120, 4*time.Second, 0.35) }, 0, 0.13, 3},
		{"like the service's, 400", func(d times) []time.Duration { return d.about(400, 4*time.Second, 0.35) }, 0, 0.105, 2.8},
		{"like the service's, now and then", func(d times) []time.Duration { return d.about(400, 4*time.Second, 0.35) }, 500 * time.Millisecond, 0.11, 2.85},
		{"always the same, 120", func(d times) []time.Duration { return d.about(120, 4*time.Second, 0) }, 0, 0.1, 1.5},
		{"always the same, 400", func(d times) []time.Duration { return d.about(400, 4*time.Second, 0) }, 0, 0.03, 1.2},
		{"widely spread", func(d times) []time.Duration { return d.about(400, 4*time.Second, 0.8) }, 500 * time.Millisecond, 0.135, 5.6},
		{"memoryless", func(d times) []time.Duration { return d.memoryless(400, 4*time.Second) }, 0, 0.115, 5.6},
		{"images and long documents", func(d times) []time.Duration { return d.either(400, time.Second, 30*time.Second, 0) }, 0, 0.05, 2.5},
		{"those, spread", func(d times) []time.Duration { return d.either(400, time.Second, 30*time.Second, 0.15) }, 0, 0.11, 4.5},
		{"with outliers", func(d times) []time.Duration { return outliers(d.about(400, 4*time.Second, 0.35)) }, 0, 0.105, 5.2},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				f := figuresOf(newRehearsal().run(c.every, c.times(draw(seed))))
				t.Logf("seed %d: seen late by %.1f %%, %.2f questions a job", seed, 100*f.lateness, f.polls)
				if f.lateness > c.lateness || f.polls > c.polls {
					t.Errorf("seed %d: %+v; at most %v and %v", seed, f, c.lateness, c.polls)
				}
			}
		})
	}
}

// A client that asks every two seconds sees results later and asks more, with the
// first jobs counted. That is so on average: a single run of so many jobs has its luck.
func TestPaceIsBetterThanAFixedPause(t *testing.T) {
	const draws = 40
	mean := func(shortest, longest time.Duration) (f figures, late float64) {
		for seed := range uint64(draws) {
			jobs := newRehearsalAt(shortest, longest).run(0, draw(seed).about(400, 4*time.Second, 0.35))
			one := figuresOf(jobs)
			f.lateness += one.lateness / draws
			f.polls += one.polls / draws
			for _, j := range jobs {
				late += j.late / float64(draws*len(jobs))
			}
		}
		return f, late
	}
	fixed, fixedLate := mean(2*time.Second, 2*time.Second)
	pace, paceLate := mean(500*time.Millisecond, 30*time.Second)
	t.Logf("fixed %+v, %.3f on average; pace %+v, %.3f", fixed, fixedLate, pace, paceLate)
	if pace.lateness > 0.1 || pace.lateness > fixed.lateness/2 {
		t.Errorf("seen late by %v in the median, %v with a fixed pause", pace.lateness, fixed.lateness)
	}
	if pace.polls > fixed.polls-0.05 {
		t.Errorf("%v questions a job, %v with a fixed pause", pace.polls, fixed.polls)
	}
	if paceLate > 0.9*fixedLate {
		t.Errorf("seen late by %v on average, %v with a fixed pause", paceLate, fixedLate)
	}
}

// A machine that is switched off each night knows of earlier jobs only when their
// results were seen. They are not seen later from day to day for that.
func TestPaceStaysAcrossRestarts(t *testing.T) {
	const days, jobsADay = 12, 20
	for seed := range uint64(seeds) {
		times := draw(seed)
		var seen []time.Duration
		var last []*attempt // of the later half of the days
		for day := range days {
			l := newRehearsal()
			l.scheduler.pace.remember(seen[max(0, len(seen)-2*remembered):])
			jobs := l.run(time.Minute, times.about(jobsADay, 4*time.Second, 0.35))
			for _, j := range jobs {
				seen = append(seen, j.took+time.Duration(j.late*float64(j.took)))
			}
			if day >= days/2 {
				last = append(last, jobs...)
			}
		}
		f := figuresOf(last)
		t.Logf("seed %d: seen late by %.1f %%, %.2f questions a job", seed, 100*f.lateness, f.polls)
		if f.lateness > 0.12 || f.polls > 3.5 {
			t.Errorf("seed %d: %+v", seed, f)
		}
	}
}

// A question costs more where results are seen soon anyway, less where they are not.
// A question that had to wait tells nothing of that.
func TestPriceOfAQuestion(t *testing.T) {
	for _, c := range []struct {
		name           string
		ended, planned time.Duration
		dearer         int
	}{
		{"seen at once", 10 * time.Second, 10 * time.Second, 1},
		{"seen soon", 10 * time.Second, 11 * time.Second, 1},
		{"seen late", 10 * time.Second, 11*time.Second + 1, -1},
		{"asked for late", 10 * time.Second, 10*time.Second - 1, 0},
		{"seen late by centuries", 0, math.MaxInt64, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPace(500*time.Millisecond, 30*time.Second)
			p.price /= 2
			before := p.price
			p.seen(c.ended, c.planned)
			same(t, "dearer", cmp.Compare(p.price, before), c.dearer)
			for range 1000 {
				p.seen(c.ended, c.planned)
			}
			if p.price < leastPrice || p.price > mostPrice {
				t.Errorf("a price of %v", p.price)
			}
		})
	}
}

// Where the service becomes slower and then as quick again as it was, the jobs of
// each time are seen early with few questions, and those that are under way at the
// change count. However long it was slow, a question is asked early enough.
func TestPaceFollowsTheService(t *testing.T) {
	for _, c := range []struct {
		slow   int
		spread float64
		limits [3]figures
	}{
		{150, 0, [3]figures{{0.05, 1.5}, {0.05, 3}, {0.05, 1.5}}},
		{600, 0, [3]figures{{0.05, 1.5}, {0.05, 3}, {0.05, 1.5}}},
		// An interval may not be shorter than a quarter of what a job takes.
		{150, 0.1, [3]figures{{0.2, 2}, {0.08, 4.2}, {0.26, 1.5}}},
	} {
		for seed := range uint64(seeds) {
			d := draw(seed)
			jobs := newRehearsal().run(200*time.Millisecond, slices.Concat(
				d.about(60, 2*time.Second, c.spread), d.about(c.slow, 20*time.Second, c.spread), d.about(75, 2*time.Second, c.spread)))
			for i, part := range [][]*attempt{jobs[:60], jobs[60 : 60+c.slow], jobs[60+c.slow:]} {
				f := figuresOf(part)
				t.Logf("%d slow jobs, spread %v, part %d: seen late by %.1f %%, %.2f questions a job", c.slow, c.spread, i, 100*f.lateness, f.polls)
				if limit := c.limits[i]; f.lateness > limit.lateness || f.polls > limit.polls {
					t.Errorf("%d slow jobs, spread %v, seed %d, part %d: %+v; at most %+v", c.slow, c.spread, seed, i, f, limit)
				}
			}
		}
	}
}

// The service's times help, and cannot mislead.
func TestClockOfTheServiceIsBelievedWhereItMakesSense(t *testing.T) {
	for name, clock := range map[string]func(time.Duration) time.Duration{
		"missing or equal": func(time.Duration) time.Duration { return 0 },
		"negative":         func(took time.Duration) time.Duration { return -took },
		"always a second":  func(time.Duration) time.Duration { return time.Second },
		"always an hour":   func(time.Duration) time.Duration { return time.Hour },
		"centuries":        func(time.Duration) time.Duration { return math.MaxInt64 },
		"half of it":       func(took time.Duration) time.Duration { return took / 2 },
		"by turns": func() func(time.Duration) time.Duration {
			n := 0
			return func(took time.Duration) time.Duration {
				n++
				return []time.Duration{took, 0, math.MinInt64, 300 * time.Hour}[n%4]
			}
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				l := newRehearsal()
				l.clock = clock
				f := figuresOf(l.run(0, draw(seed).about(400, 4*time.Second, 0.35)))
				t.Logf("seed %d: seen late by %.1f %%, %.2f questions a job", seed, 100*f.lateness, f.polls)
				if f.lateness > 0.105 || f.polls > 4 {
					t.Errorf("seed %d: %+v", seed, f)
				}
			}
		})
	}
}

// What the settings say of the time between two questions holds whatever was
// learned.
func TestIntervalsKeepTheirBounds(t *testing.T) {
	for _, bounds := range [][2]time.Duration{
		{500 * time.Millisecond, 30 * time.Second}, {time.Millisecond, time.Hour}, {time.Second, time.Second},
		{time.Nanosecond, time.Nanosecond}, {7 * time.Minute, 7*time.Minute + 1},
	} {
		p := newPace(bounds[0], bounds[1])
		d := draw(1)
		for range 2000 {
			from, age := time.Duration(d.ExpFloat64()*4e9), time.Duration(d.ExpFloat64()*60e9)
			switch d.IntN(4) {
			case 0:
				p.unfinished(from, age)
			case 1:
				p.learn(from, age)
			case 2:
				p.learn(0, []time.Duration{0, -1, math.MinInt64, math.MaxInt64}[d.IntN(4)])
			default:
				p.choose()
			}
			if interval := p.after(age) - age; interval < p.min || interval > p.max {
				t.Fatalf("%v: %v at an age of %v", bounds, interval, age)
			}
		}
	}
	for seed := range uint64(seeds) {
		for _, j := range newRehearsal().run(0, outliers(draw(seed).about(400, 4*time.Second, 0.8))) {
			for i, at := range append([]time.Time{j.began}, j.asked...)[:len(j.asked)] {
				// From one answer to the next question it is a trip less or more.
				if gap := j.asked[i].Sub(at); gap < 500*time.Millisecond || gap > 30*time.Second+8*tripTime {
					t.Errorf("seed %d: asked again after %v", seed, gap)
				}
			}
		}
	}
}

func BenchmarkPace(b *testing.B) {
	jobs := draw(1).about(1000, 4*time.Second, 0.35)
	for b.Loop() {
		newRehearsal().run(0, jobs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(jobs)), "ns/job")
}
