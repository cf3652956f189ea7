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
func TestBarsAgainstASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(1<<16-2, 1<<16+2), rapid.Int64Range(0, math.MaxInt32))
		lists := rapid.SliceOf(rapid.SliceOf(number)).Draw(t, "lists")
		all, one := newBars(), newBars()
		var took []time.Duration
		for _, list := range lists {
			one.clear()
			for _, ms := range list {
				one.add(ms, 1)
				took = append(took, time.Duration(ms)*time.Millisecond)
			}
			all.merge(one)
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

func TestBarsOfAList(t *testing.T) {
	b := newBars()
	check1(t, b.addList(""))
	check1(t, b.addList("0"))
	check1(t, b.addList("7,65535,65536,7,2147483648"))
	for ms, want := range map[int]int{0: 1, 7: 2, 65535: 1, 6: 0} {
		if got := b.small[ms]; got != want {
			t.Errorf("%d occurs %d times, want %d", ms, got, want)
		}
	}
	if b.large[65536] != 1 || b.large[2147483648] != 1 || len(b.large) != 2 {
		t.Errorf("large: %v", b.large)
	}
	for _, bad := range []string{"-1", "1,x", "1 2", strings.Repeat("1,", 3) + "."} {
		if newBars().addList(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
