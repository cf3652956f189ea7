package pipeline

import (
	"math"
	"slices"
	"time"
)

// pace decides when to ask for a job, from what is known of how long jobs take.
// Too early costs a question, too late costs time: it keeps, for each age that a
// job may have, how many of the jobs that got so old ended there, and chooses the
// questions that cost least in all. A job that is asked for and has not ended
// tells as much as one that has, so the first jobs of all, and jobs that take
// longer than they used to, are learned from while they last.
//
// What counts is that half of the results are seen soon. The price of a question is
// as high as that allows: it rises with each result that is seen soon, and falls
// with each that is not.
//
// Ages are counted in steps: one up to the shortest interval, then each a little
// longer than the one before, until they are as long as the longest interval.
type pace struct {
	min, max time.Duration // bounds of an interval
	price    float64       // of a question, in lateness: parts of a job's time

	ages   []time.Duration // ends of the steps; the first is 0
	middle []float64       // of the steps, in nanoseconds
	ended  []float64       // by step: the part of the jobs that reached it and ended in it
	told   []float64       // by step: how many jobs tell of that, what was taken for granted included

	next  []time.Duration // by age: at which age to ask for a job that is unfinished then
	cost  []float64       // by age: of the questions and the lateness that are still to come
	ends  []float64       // by step: ended as the steps around it tell it too, see smooth
	left  []float64       // by step: of use while choose and smooth run
	fresh int             // what was learned that next does not know of
	known int             // what it knows of
}

const (
	// soon is how late a result may be that is seen soon, in parts of its job's time.
	soon = 0.1
	// soonSteps are as long as that together.
	soonSteps = 3
	// missed is what it costs not to see a result soon, beside its lateness.
	missed = 1.5
	// seenSoon is the part of the results that is to be seen soon.
	seenSoon = 0.5
	// The price begins at mostPrice, and changes by half of priceGrowth with each
	// result.
	leastPrice, mostPrice = 0.01, 0.6
	priceGrowth           = 0.05
	// pastPrice is the price after a start that knows of earlier jobs: what is known
	// of those is when their results were seen, and dear questions would be put later
	// at every start.
	pastPrice = 0.2
	// endsUnknown is the part of the jobs that are taken to end in a step as long
	// as no job tells; it counts as one job.
	endsUnknown = 0.07
	// endsLeast times the price is the part of the jobs that may end in any step,
	// whatever was seen: jobs may come to take less time than they do, and to find
	// that out is to be worth a question whatever it costs.
	endsLeast = 0.002
	// remembered is how many jobs tell of a step: the newest.
	remembered = 30
	// nearby is how many jobs of the steps around it tell of a step in which none
	// ended, at most; where n did, a part of 1+n of that. Each step further away
	// tells nearness as much.
	nearby, nearness = 300, 0.7
)

// ageGrowth is how much longer a step is than the one before.
var ageGrowth = math.Pow(1+soon, 1.0/soonSteps)

// newPace knows nothing yet.
func newPace(shortest, longest time.Duration) *pace {
	p := &pace{min: shortest, max: longest, price: mostPrice, ages: []time.Duration{0}, middle: []float64{0}}
	for begin, end := 0.0, float64(shortest); begin == 0 || end-begin < float64(longest); begin, end = end, end*ageGrowth {
		p.ages = append(p.ages, time.Duration(end))
		p.middle = append(p.middle, (begin+end)/2)
	}
	n := len(p.ages)
	p.ended, p.told = slices.Repeat([]float64{endsUnknown}, n), slices.Repeat([]float64{1}, n)
	p.next, p.cost = make([]time.Duration, n), make([]float64, n)
	p.ends, p.left = make([]float64, n), make([]float64, n)
	p.choose()
	return p
}

// remember takes in how old jobs of an earlier run were when their results were seen,
// the newest last.
func (p *pace) remember(seen []time.Duration) {
	for _, age := range seen {
		p.learn(0, age)
	}
	if len(seen) > 0 {
		p.price = pastPrice
	}
	p.choose()
}

// unfinished takes in that a job had not ended at an age. Up to the age from it
// told before.
func (p *pace) unfinished(from, age time.Duration) {
	for i := p.age(from) + 1; i < len(p.ages) && p.ages[i] <= age; i++ {
		p.tell(i, 0)
	}
	p.fresh++
}

// learn takes in that a job ended at an age. Up to the age from it told that it
// had not.
func (p *pace) learn(from, age time.Duration) {
	i := p.age(from) + 1
	for ; i < len(p.ages) && p.ages[i] < age; i++ {
		p.tell(i, 0)
	}
	if i < len(p.ages) {
		p.tell(i, 1)
	}
	p.fresh++
}

func (p *pace) tell(step int, ended float64) {
	p.told[step] = min(p.told[step]+1, remembered)
	p.ended[step] += (ended - p.ended[step]) / p.told[step]
}

// seen takes in that the result of a job that ended at an age was to be seen at
// another. One that was asked for later than planned tells nothing of the price.
func (p *pace) seen(ended, planned time.Duration) {
	if planned < ended {
		return
	}
	change := -seenSoon
	if float64(planned-ended) <= soon*float64(ended) {
		change++
	}
	p.price = min(max(p.price*(1+priceGrowth*change), leastPrice), mostPrice)
}

// age returns the last end of a step that is not after an age.
func (p *pace) age(age time.Duration) int {
	i, is := slices.BinarySearch(p.ages, age)
	if is {
		return i
	}
	return max(i-1, 0)
}

// after returns the age at which to ask for a job that was asked for at an age.
func (p *pace) after(age time.Duration) time.Duration {
	return age + min(max(p.next[p.age(age)]-age, p.min), p.max)
}

// behind says whether enough was learned to choose anew. How much is enough grows
// with how much is known, and with the jobs in flight, whose turns may change.
func (p *pace) behind(jobs int) bool {
	return p.fresh > min(p.known/8, remembered/2)+jobs/64
}

// choose finds out when to ask: for each age, from the last one to the first, the
// next question is put where the price of a question, the lateness to be expected
// of jobs that end before it, and the cost of those that do not, are least. It says
// whether a question became earlier than it was.
func (p *pace) choose() (earlier bool) {
	p.smooth()
	last := len(p.ages) - 1
	p.cost[last], p.next[last] = p.price, math.MaxInt64
	for i := last - 1; i >= 0; i-- {
		best, at := math.Inf(1), p.next[i]
		left, gone, weight := 1.0, 0.0, 0.0 // of the jobs unfinished at the age
		for k := i + 1; k <= last; k++ {
			p.left[k-1] = left
			ends := left * p.ends[k]
			left -= ends
			gone += ends
			weight += ends / p.middle[k]
			interval := p.ages[k] - p.ages[i]
			if interval < p.min {
				continue
			}
			late := float64(p.ages[k])*weight - gone // in parts of the jobs' times
			if before := k - soonSteps; before > i { // what ended until then is not seen soon
				late += missed * (1 - p.left[before])
			}
			if cost := p.price + late + left*p.cost[k]; cost < best {
				best, at = cost, p.ages[k]
			}
			if p.price+late >= best || interval >= p.max {
				break
			}
		}
		earlier = earlier || at < p.next[i]
		p.cost[i], p.next[i] = best, at
	}
	p.known, p.fresh = min(p.known+p.fresh, 8*remembered), 0
	return earlier
}

// smooth finds out what part of the jobs ends in each step. Few jobs tell of one step
// alone, so those around it tell of it too, the less the more jobs ended in it: where
// all jobs take as long, their end is not blurred.
func (p *pace) smooth() {
	var ended, told float64 // of the steps before, the nearer the more
	for i := 1; i < len(p.ages); i++ {
		p.ends[i], p.left[i] = ended, told
		ended, told = nearness*(ended+p.told[i]*p.ended[i]), nearness*(told+p.told[i])
	}
	ended, told = 0, 0 // of those after
	for i := len(p.ages) - 1; i > 0; i-- {
		here := p.told[i] * p.ended[i]
		around := p.left[i] + told
		part := min(nearby/(1+here)/around, 1)
		ends := (here + part*(p.ends[i]+ended)) / (p.told[i] + part*around)
		p.ends[i] = max(ends, endsLeast*p.price)
		ended, told = nearness*(ended+here), nearness*(told+p.told[i])
	}
}
