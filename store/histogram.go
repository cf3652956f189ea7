package store

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// bars count how often each number of milliseconds occurs. Most are small, and
// there may be millions: those have places of their own, as counting them in a
// map would take longer than reading them.
type bars struct {
	small []int         // by milliseconds
	large map[int64]int // the others
}

func newBars() *bars { return &bars{small: make([]int, 1<<16), large: make(map[int64]int)} }

func (b *bars) clear() {
	clear(b.small)
	clear(b.large)
}

func (b *bars) add(ms int64, n int) {
	if ms < int64(len(b.small)) {
		b.small[ms] += n
	} else {
		b.large[ms] += n
	}
}

func (b *bars) merge(other *bars) {
	for ms, n := range other.small {
		b.small[ms] += n
	}
	for ms, n := range other.large {
		b.large[ms] += n
	}
}

// addList counts numbers with commas between them.
func (b *bars) addList(list string) error {
	for len(list) > 0 {
		n, i := int64(0), 0
		for i < len(list) && list[i] != ',' {
			digit := list[i] - '0'
			if digit > 9 {
				return fmt.Errorf("%q is no number", list[:i+1])
			}
			n, i = n*10+int64(digit), i+1
		}
		b.add(n, 1)
		list = list[min(i+1, len(list)):]
	}
	return nil
}

// latency finds the nearest-rank percentiles, each the smallest value that is
// not below that share of all; nil: there are none.
func (b *bars) latency() *Latency {
	n := 0
	for _, count := range b.small {
		n += count
	}
	for _, count := range b.large {
		n += count
	}
	if n == 0 {
		return nil
	}
	order := slices.Sorted(maps.Keys(b.large))
	rank := func(percent int) time.Duration {
		want := (n*percent + 99) / 100
		for ms, count := range b.small {
			if want -= count; want <= 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
		for _, ms := range order {
			if want -= b.large[ms]; want <= 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
		panic("the bars do not add up")
	}
	return &Latency{P50: rank(50), P95: rank(95), Max: rank(100)}
}
