package pipeline

import (
	"slices"
	"sync"
	"time"
)

// jobAges decides when to ask for a job, from the ages at which recent ones ended.
//
// The first question is made when a third of the jobs that got as old as this one
// had ended, then at ages that grow by a step each. So half of the answers are seen
// within a tenth of their jobs' times, at about four questions a job, and a service
// that becomes slower or faster is followed within a few jobs.
type jobAges struct {
	min, max time.Duration // bounds of the time between two questions

	mu   sync.Mutex
	ages []time.Duration // the newest, oldest first
}

const (
	agesKept  = 32
	firstPart = 3    // ask when one of so many had ended
	ageStep   = 1.15 // then at ages that grow by this factor
	blindStep = 1.5  // the same while nothing is known
)

func newJobAges(min, max time.Duration) *jobAges { return &jobAges{min: min, max: max} }

// add notes the age at which a job ended.
func (a *jobAges) add(age time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ages) == agesKept {
		a.ages = slices.Delete(a.ages, 0, 1)
	}
	a.ages = append(a.ages, age)
}

// next returns the age at which to ask for a job that is this old. asked is the age
// at which it was asked for last, 0 where it was not.
func (a *jobAges) next(age, asked time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	older := slices.DeleteFunc(slices.Clone(a.ages), func(d time.Duration) bool { return d < age })
	var due time.Duration
	switch {
	case asked == 0 && len(older) > 0:
		slices.Sort(older)
		due = older[len(older)/firstPart]
		due += due / 50 // jobs that take the same time are asked for just after it
	case asked > 0 && len(a.ages) > 0:
		due = time.Duration(float64(age) * ageStep)
	case asked > 0:
		due = time.Duration(float64(age) * blindStep)
	}
	return min(max(due, asked+a.min), max(age, asked)+a.max)
}
