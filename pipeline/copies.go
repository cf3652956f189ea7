package pipeline

import (
	"context"
	"slices"
	"sync"

	"docusort/pipeline/filing"
)

const (
	copiers    = 4  // copies at a time
	mostQueued = 64 // documents that wait to be copied; then no others are moved
)

// copies are the documents that are copied to another filesystem, which may take minutes,
// in goroutines beside the loop that moves the others. Only that loop uses it.
type copies struct {
	mover   *filing.Mover
	queue   []*moving
	inHand  map[int64]bool  // queued, being copied, or back
	targets map[string]bool // of these documents and their sidecars
	running int
	done    chan *moving // copied, or failed
	back    []*moving    // received from done, to be settled
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

// start starts copies from the queue, while fewer than copiers run.
func (c *copies) start(ctx context.Context, p *Pipeline) {
	for c.running < copiers && len(c.queue) > 0 {
		m := c.queue[0]
		c.queue = c.queue[1:]
		c.running++
		c.wg.Go(func() {
			m.err = c.mover.Copy(ctx, moveOf(p.Inbox, m))
			if m.moved = m.err == nil; m.moved {
				p.OnStep(FileMoved)
			}
			c.done <- m
		})
	}
}

// take returns the documents whose copies have ended, and starts others.
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

// wait waits until all copies have ended, and returns their documents.
func (c *copies) wait() []*moving {
	c.wg.Wait()
	for len(c.done) > 0 {
		c.back = append(c.back, <-c.done)
	}
	return slices.Clip(c.back)
}
