package pipeline

import (
	"context"
	"slices"
	"sync"

	"docusort/pipeline/filing"
)

const (
	copiers    = 4  // copies at a time
	mostQueued = 64 // documents that wait to be copied; no more are looked for then
)

// copies are the documents that are copied to another filesystem, beside the loop
// that moves the others: one may take minutes. It is used by that loop alone.
type copies struct {
	mover   *filing.Mover
	queue   []*moving
	inHand  map[int64]bool  // queued, under way, or back
	targets map[string]bool // of these, and of their sidecars: names that are not on disk yet
	running int
	done    chan *moving // from those under way
	back    []*moving    // received, to be settled
	wg      sync.WaitGroup
}

func newCopies(m *filing.Mover) *copies {
	return &copies{mover: m, inHand: make(map[int64]bool), targets: make(map[string]bool), done: make(chan *moving, copiers)}
}

func (c *copies) len() int          { return len(c.inHand) }
func (c *copies) has(id int64) bool { return c.inHand[id] }
func (c *copies) full() bool        { return len(c.queue) >= mostQueued }

// add takes over a document that has to be copied.
func (c *copies) add(m *moving) {
	c.queue = append(c.queue, m)
	c.inHand[m.doc.ID] = true
	for _, suffix := range []string{"", answerSuffix, failureSuffix} {
		c.targets[m.doc.Target+suffix] = true
	}
}

// start copies what is queued, a few at a time.
func (c *copies) start(ctx context.Context, p *Pipeline) {
	for c.running < copiers && len(c.queue) > 0 {
		m := c.queue[0]
		c.queue = c.queue[1:]
		c.running++
		c.wg.Go(func() {
			m.err = c.mover.Copy(ctx, moveOf(p.Inbox, m))
			if m.moved = m.err == nil; m.moved {
				p.reached(FileMoved)
			}
			c.done <- m
		})
	}
}

// take returns what came back, and starts what waits.
func (c *copies) take(ctx context.Context, p *Pipeline) []*moving {
	for len(c.done) > 0 {
		c.back = append(c.back, <-c.done)
	}
	back := c.back
	c.back = nil
	for _, m := range back {
		delete(c.inHand, m.doc.ID)
		for _, suffix := range []string{"", answerSuffix, failureSuffix} {
			delete(c.targets, m.doc.Target+suffix)
		}
		c.running--
	}
	c.start(ctx, p)
	return back
}

// wait waits for the copies under way.
func (c *copies) wait() []*moving {
	c.wg.Wait()
	for len(c.done) > 0 {
		c.back = append(c.back, <-c.done)
	}
	return slices.Clip(c.back)
}
