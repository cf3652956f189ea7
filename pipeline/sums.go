package pipeline

import (
	"hash"
	"hash/maphash"
	"math/bits"
	"sync"
)

// sums tell content that this process hashed from any other, at less cost than
// hashing it over again: for a SHA-256, what else the same bytes came to. That is 64
// bits which depend on a secret of the process, by a function that is made for tables
// and not for adversaries. It is enough here: nobody learns a sum, and that a document
// of the largest size was changed and has the same is as likely as one in 2^44, which
// holds with words of 64 bits; elsewhere SHA-256 is compared. Processors that have
// instructions for both are six times as fast with it.
type sums struct {
	seed  maphash.Seed
	mu    sync.Mutex
	known map[string][]byte // by SHA-256
	order []string          // of known, the oldest at next once there are mostSums
	next  int
}

// mostSums bounds memory: about 2 MB. The content of others is hashed.
const mostSums = 1 << 14

func newSums() *sums { return &sums{seed: maphash.MakeSeed(), known: make(map[string][]byte)} }

// new returns a hash for what is to be learned, or compared.
func (s *sums) new() hash.Hash {
	h := new(maphash.Hash)
	h.SetSeed(s.seed)
	return h
}

// learn takes in that the same bytes came to both.
func (s *sums) learn(sha256, sum []byte) {
	if bits.UintSize < 64 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(sha256)
	if s.known[key] != nil {
		return
	}
	s.known[key] = sum
	if len(s.order) < mostSums {
		s.order = append(s.order, key)
		return
	}
	delete(s.known, s.order[s.next])
	s.order[s.next] = key
	s.next = (s.next + 1) % mostSums
}

// of returns the sum of the content with a SHA-256, nil where it is not known.
func (s *sums) of(sha256 []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[string(sha256)]
}
