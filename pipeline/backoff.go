package pipeline

import (
	"math/rand/v2"
	"time"
)

// backoff returns how long to wait after the n-th failure in a row, n ≥ 1: from
// first, doubling up to limit, less up to a quarter so that what failed together
// does not come back together. random is in [0, 1).
func backoff(n int, first, limit time.Duration, random float64) time.Duration {
	d := first
	for i := 1; i < n && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(random*float64(d)/4)
}

// Pauses of a document whose submission was refused, or whose job ended without
// an answer (SPEC: "growing pauses, up to 1 h").
const (
	firstPause   = time.Second
	longestPause = time.Hour
)

func pauseAfter(n int) time.Duration {
	return backoff(n, firstPause, longestPause, rand.Float64())
}

// at returns a channel that gives the time when t has come; nil, which never
// gives anything, for the zero time.
func at(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(time.Until(t))
}
