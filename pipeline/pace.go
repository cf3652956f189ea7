package pipeline

import (
	"math"
	"slices"
	"time"
)

// pace decides when to ask for a job, from how long the newest jobs took. Too
// early costs a request, too late costs time: the first question comes when the
// quickest jobs would be done, the next ones at intervals that grow with the age
// of the job, so that an answer is never seen much later than it was there.
type pace struct {
	min, max time.Duration // bounds of an interval
	recent   [32]time.Duration
	n        int // jobs learned of, ever
}

// The interval to the next question as a part of the job's age. With 0.18 an
// answer is on average seen 9 % of the job's time after it was there. While
// nothing is known of how long jobs take, questions are a waste more often.
const (
	growth        = 0.18
	growthUnknown = 0.5
)

// learn takes in how long a job took.
func (p *pace) learn(took time.Duration) {
	p.recent[p.n%len(p.recent)] = max(took, 0)
	p.n++
}

// first returns the age at which a job is asked for first: what nine of ten of
// the newest jobs took at least.
func (p *pace) first() time.Duration {
	n := min(p.n, len(p.recent))
	if n == 0 {
		return p.min
	}
	took := slices.Clone(p.recent[:n])
	slices.Sort(took)
	return p.clamp(took[n/10])
}

// next returns the interval to the following question.
func (p *pace) next(age time.Duration) time.Duration {
	part := growth
	if p.n == 0 {
		part = growthUnknown
	}
	return p.clamp(time.Duration(math.Round(part * float64(age))))
}

func (p *pace) clamp(d time.Duration) time.Duration { return min(max(d, p.min), p.max) }
