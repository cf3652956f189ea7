package store

import (
	"errors"
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
		want := latencyOf(took)
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

// rowOf is a row of these values, NULL after them.
type rowOf []any

func (r rowOf) Scan(dest ...any) error {
	for i := range dest {
		*dest[i].(*any) = nil
		if i < len(r) {
			*dest[i].(*any) = r[i]
		}
	}
	return nil
}

// A value of a kind that its column cannot have is an error, and no other one later.
func TestColumnsOfTheWrongKind(t *testing.T) {
	var c columns
	if _, err := c.document(rowOf{int64(7), "/in", "9"}); err == nil || !strings.Contains(err.Error(), "column 3 of a document is a string") {
		t.Errorf("%v", err)
	}
	got, err := c.document(rowOf{int64(7), "/in"})
	if want := (Document{ID: 7, Inbox: Folder{Path: "/in"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// What was numbered in a transaction that was undone is numbered again.
func TestNumbersOfWhatWasUndone(t *testing.T) {
	s, set := faulty(t)
	a := found("scan.pdf", "x")
	set("commit", errors.New("undone"))
	if _, err := s.Admit(ctx, a); err == nil {
		t.Fatal("admitted")
	}
	set("", nil)
	id := admit(t, s, a).ID
	var codes string
	check1(t, s.read.QueryRow(`SELECT codes FROM option_sets o JOIN documents d ON d.options = o.id WHERE d.id = ?`, id).Scan(&codes))
	if want := must[string](t)(encodeOptions(a.Options)); codes != want {
		t.Errorf("options %s, want %s", codes, want)
	}
}
