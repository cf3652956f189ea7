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

// backoff returns how long to wait after the n-th failure in a row, n ≥ 1: from
// firstPause, doubling up to limit, less up to a quarter, so that documents that failed
// together are not tried again together. random is in [0, 1).
func backoff(n int, limit time.Duration, random float64) time.Duration {
	d := firstPause
	for i := 1; i < n && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d - time.Duration(random*float64(d)/4)
}

// pauseAfter returns the pause of a document after its n-th failure in a row.
func pauseAfter(n int) time.Duration { return backoff(n, longestPause, rand.Float64()) }
