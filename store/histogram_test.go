package store

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Percentiles do not depend on whether a time is one of the common ones.
func TestHistogramAgainstASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(1<<16-2, 1<<16+2), rapid.Int64Range(0, math.MaxInt32))
		lists := rapid.SliceOf(rapid.SliceOf(number)).Draw(t, "lists")
		all := new(histogram)
		var took []time.Duration
		for _, list := range lists {
			for _, ms := range list {
				all.add(ms, 1)
				took = append(took, time.Duration(ms)*time.Millisecond)
			}
		}
		var want *Latency
		if n := len(took); n > 0 {
			slices.Sort(took)
			at := func(p float64) time.Duration { return took[int(math.Ceil(p*float64(n)/100))-1] }
			want = &Latency{P50: at(50), P95: at(95), Max: took[n-1]}
		}
		if got := all.latency(); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestNumbersOfAList(t *testing.T) {
	for list, want := range map[string][]int64{"": nil, "0": {0}, "7,65535,65536,7,2147483648": {7, 65535, 65536, 7, 2147483648}} {
		var got []int64
		check1(t, eachNumber(list, func(n int64) { got = append(got, n) }))
		if !slices.Equal(got, want) {
			t.Errorf("%q: %d", list, got)
		}
	}
	for _, bad := range []string{"-1", "1,x", "1 2", strings.Repeat("1,", 3) + "."} {
		if eachNumber(bad, func(int64) {}) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
