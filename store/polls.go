package store

import (
	"sync"
	"time"
)

// pollsUnstored is how long counted requests may stay in memory.
const pollsUnstored = 2 * time.Second

// pollCount gathers status requests until somebody commits anyway: their number
// is for the report, and is not worth a sync to the disk of its own.
type pollCount struct {
	counted chan struct{} // wakes the writer; holds one
	mu      sync.Mutex
	count   map[int64]int
}

// Polled counts a status request for a document. It is stored with the next
// change of any document, or after a short while, and lost where the daemon is
// killed before that.
func (s *Store) Polled(id int64) {
	s.polls.add(map[int64]int{id: 1})
	select {
	case s.polls.counted <- struct{}{}:
	default: // it has been told
	}
}

// take returns what was counted since the last call.
func (p *pollCount) take() map[int64]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := p.count
	p.count = nil
	return count
}

// add counts requests, also those that could not be stored before.
func (p *pollCount) add(count map[int64]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil {
		p.count = make(map[int64]int)
	}
	for id, n := range count {
		p.count[id] += n
	}
}

// storePolls adds counts to their documents, where no change has.
func (t *tx) storePolls() error {
	for id, n := range t.polls {
		if t.added[id] {
			continue
		}
		if _, err := t.exec(`UPDATE documents SET polls = polls + ? WHERE id = ?`, n, id); err != nil {
			return err
		}
	}
	return nil
}
