package pipeline

import (
	"math/rand/v2"
	"time"
)

// Bounds of pauses (SPEC: "growing pauses, up to 1 h").
const (
	firstPause   = time.Second
	longestPause = time.Hour
)

// jobPause returns how long after its n-th job ended without an answer, n ≥ 1, a document
// gets another one, which costs as much: minutes, so that five never end within an hour.
func (p *Pipeline) jobPause(n int) time.Duration {
	d := p.JobPause
	for i := 1; i < n && d < longestPause; i++ {
		d *= 4
	}
	return min(d, longestPause)
}

// backoff returns how long to wait after the n-th failure in a row, n ≥ 1: from
// firstPause, doubling up to limit, less up to a quarter, so that documents that failed
// together are not tried again together.
func backoff(n int, limit time.Duration) time.Duration {
	d := firstPause
	for i := 1; i < n && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(rand.Float64()*float64(d)/4)
}
