package pipeline

import "sync"

// claims are the documents that somebody works on. The record does not know of
// them: they are forgotten with the process.
type claims struct {
	mu  sync.Mutex
	ids map[int64]struct{}
}

func newClaims() *claims { return &claims{ids: make(map[int64]struct{})} }

// claim says whether the document was free, and takes it.
func (c *claims) claim(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.ids[id]; taken {
		return false
	}
	c.ids[id] = struct{}{}
	return true
}

func (c *claims) release(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ids, id)
}

func (c *claims) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ids)
}
