package pipeline

import (
	"context"
	"errors"
	"sync"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
)

const (
	copiers    = 4  // copies at a time
	mostQueued = 64 // documents that wait to be copied; then no others are moved
)

// errNotCopied: what no service would take may have any size, and is not copied about.
var errNotCopied = errors.New("larger than the service takes, and to be copied to another filesystem: move it by hand, or remove it")

// moveOrCopy moves a file inside its filesystem or, where it is not too large, across two.
func moveOrCopy(ctx context.Context, m *filing.Mover, mv filing.Move) error {
	err := m.Do(ctx, mv)
	switch {
	case !errors.Is(err, filing.ErrNeedsCopy):
		return err
	case mv.Identity.Size > docutray.MaxFileSize:
		return errNotCopied
	}
	return m.Copy(ctx, mv)
}

// copies are the documents that are copied to another filesystem, which may take minutes,
// in goroutines beside the loop that moves the others. Only that loop uses it.
type copies struct {
	inHand map[int64]*moving
	slots  chan struct{} // a place for each of copiers
	done   chan *moving  // copied, or failed; it has room for all
	ended  signal
	wg     sync.WaitGroup
}

func newCopies() *copies {
	return &copies{
		inHand: make(map[int64]*moving), slots: make(chan struct{}, copiers),
		done: make(chan *moving, mostQueued+fileBatch), ended: make(signal, 1),
	}
}

// add takes over a document that has to be copied.
func (c *copies) add(ctx context.Context, p *Pipeline, m *moving) {
	c.inHand[m.doc.ID] = m
	c.wg.Go(func() {
		c.slots <- struct{}{}
		m.err = p.Mover.Copy(ctx, moveOf(p.Inbox, m))
		<-c.slots
		if m.moved = m.err == nil; m.moved {
			p.OnStep(FileMoved)
		}
		c.done <- m
		c.ended.wake()
	})
}

// take returns the documents whose copies have ended.
func (c *copies) take() (ended []*moving) {
	for len(c.done) > 0 {
		m := <-c.done
		delete(c.inHand, m.doc.ID)
		ended = append(ended, m)
	}
	return ended
}

// targets are the names that documents and their sidecars are going to have.
func (c *copies) targets() map[string]bool {
	names := make(map[string]bool)
	for _, m := range c.inHand {
		for _, suffix := range []string{"", answerSuffix, failureSuffix} {
			names[m.doc.Target+suffix] = true
		}
	}
	return names
}
