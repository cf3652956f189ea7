package pipeline

import (
	"slices"
	"sync"
	"time"
)

// jobAges decides when to poll a job, from the ages at which recent jobs ended.
//
// A job is polled first at the age by which a third of the recent jobs of at least its
// age had ended, and then at ages that grow by a constant factor. Half of the answers
// are seen within a tenth of their jobs' times, with about four polls a job, and a few
// jobs are enough to adapt to a service that becomes slower or faster.
type jobAges struct {
	min, max time.Duration // bounds of the time between two polls

	mu   sync.Mutex
	ages []time.Duration // of the newest jobs, in the order of their ends
}

const (
	agesKept  = 32
	firstPart = 3    // poll when one of so many had ended
	ageStep   = 1.15 // the factor between the ages of two polls
	blindStep = 1.5  // the same while no job has ended
)

// add notes the age at which a job ended.
func (a *jobAges) add(age time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ages) == agesKept {
		a.ages = slices.Delete(a.ages, 0, 1)
	}
	a.ages = append(a.ages, age)
}

// next returns the age at which to poll a job that has this age now. polled is its age at
// the last poll; 0: there was none.
func (a *jobAges) next(age, polled time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	older := slices.DeleteFunc(slices.Clone(a.ages), func(d time.Duration) bool { return d < age })
	var due time.Duration
	switch {
	case polled == 0 && len(older) > 0:
		slices.Sort(older)
		due = older[len(older)/firstPart]
		due += due / 50 // where all jobs take the same time, just after it
	case polled > 0 && len(a.ages) > 0:
		due = time.Duration(float64(age) * ageStep)
	case polled > 0:
		due = time.Duration(float64(age) * blindStep)
	}
	return min(max(due, polled+a.min), max(age, polled)+a.max)
}
