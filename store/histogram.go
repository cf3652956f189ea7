package store

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A histogram counts how often each number of milliseconds occurs. There may be
// millions, most of them small: those are counted in an array, because a map
// would take longer than reading them.
type histogram struct {
	small []int         // by milliseconds
	large map[int64]int // the others
}

func newHistogram() *histogram {
	return &histogram{small: make([]int, 1<<16), large: make(map[int64]int)}
}

func (h *histogram) clear() {
	clear(h.small)
	clear(h.large)
}

func (h *histogram) add(ms int64) {
	if ms < int64(len(h.small)) {
		h.small[ms]++
	} else {
		h.large[ms]++
	}
}

func (h *histogram) merge(other *histogram) {
	for ms, n := range other.small {
		h.small[ms] += n
	}
	for ms, n := range other.large {
		h.large[ms] += n
	}
}

// eachNumber calls f for each of some numbers with commas between them.
func eachNumber(list string, f func(int64)) error {
	for len(list) > 0 {
		n, i := int64(0), 0
		for i < len(list) && list[i] != ',' {
			digit := list[i] - '0'
			if digit > 9 {
				return fmt.Errorf("%q is not a number", list[:i+1])
			}
			n, i = n*10+int64(digit), i+1
		}
		f(n)
		list = list[min(i+1, len(list)):]
	}
	return nil
}

// latency finds the nearest-rank percentiles, each the smallest value that is
// not below that share of all; nil: there are none.
func (h *histogram) latency() *Latency {
	n := 0
	for _, count := range h.small {
		n += count
	}
	for _, count := range h.large {
		n += count
	}
	if n == 0 {
		return nil
	}
	order := slices.Sorted(maps.Keys(h.large))
	rank := func(percent int) time.Duration {
		want := (n*percent + 99) / 100
		for ms, count := range h.small {
			if want -= count; want <= 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
		for _, ms := range order {
			if want -= h.large[ms]; want <= 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
		panic("the histogram does not add up")
	}
	return &Latency{P50: rank(50), P95: rank(95), Max: rank(100)}
}
