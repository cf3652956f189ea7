package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// What is remembered is bounded, and the newest: a sum that was forgotten costs
// another hash, and no more.
func TestSumsAreBounded(t *testing.T) {
	s := newSums()
	content := func(n int) ([]byte, []byte) {
		b := binary.BigEndian.AppendUint64(nil, uint64(n))
		hash, sum := sha256.Sum256(b), s.new()
		sum.Write(b)
		return hash[:], sum.Sum(nil)
	}
	for n := range mostSums + 2 {
		hash, sum := content(n)
		s.learn(hash, sum)
		s.learn(hash, sum) // as of another document
	}
	same(t, "known", len(s.known), mostSums)
	for _, n := range []int{2, mostSums, mostSums + 1} {
		hash, sum := content(n)
		same(t, "sum", string(s.of(hash)), string(sum))
	}
	for _, n := range []int{0, 1} {
		hash, _ := content(n)
		same(t, "forgotten", s.of(hash) == nil, true)
	}
}

// Two processes do not have the same sums, so that none can be made for one.
func TestSumsAreSecret(t *testing.T) {
	sum := func() string {
		h := newSums().new()
		h.Write([]byte("content"))
		return string(h.Sum(nil))
	}
	if one, other := sum(), sum(); one == other {
		t.Error("the sums of two processes are the same")
	}
}
