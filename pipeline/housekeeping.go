package pipeline

import (
	"context"
	"fmt"
	"path"
	"sync"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// sweepAll looks at every rescan for waiting documents whose file was removed from the
// inbox, so that the report does not list them during a hold. It leaves alone documents
// that have a job: the file may have been moved within the inbox, and its answer is paid
// for.
func (p *Pipeline) sweepAll(ctx context.Context) error {
	for {
		if err := p.sweep(ctx); err != nil {
			return err
		}
		select {
		case <-time.After(p.Rescan):
		case <-p.sweepNow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sweepBatch is how many documents are read at once.
const sweepBatch = 512

func (p *Pipeline) sweep(ctx context.Context) error {
	for after := int64(0); ; {
		docs, err := read(ctx, p, func(ctx context.Context) ([]store.Document, error) {
			return p.Store.Waiting(ctx, after, sweepBatch)
		})
		if err != nil || len(docs) == 0 {
			return err
		}
		after = docs[len(docs)-1].ID
		for i := range docs {
			doc := &docs[i]
			if gone, err := p.isGone(doc); err != nil || !gone {
				continue
			}
			if err := p.markGone(ctx, doc, "removed from the inbox before it was submitted"); err != nil {
				p.notStored(doc, err)
			}
		}
	}
}

const (
	// pruneBatch is how many rows are removed in one transaction: few, because all
	// other changes wait for it.
	pruneBatch = 200
	// prunePause is for these other changes.
	prunePause = 20 * time.Millisecond
	// pruneEvery is the shortest time between two rounds.
	pruneEvery = time.Hour
)

// pruneAll removes the rows of finished documents that are older than KeepHistory.
// The files stay where they are.
func (p *Pipeline) pruneAll(ctx context.Context) error {
	for removed := int64(0); p.KeepHistory > 0; {
		before := time.Now().Add(-p.KeepHistory)
		n, err := write(ctx, p, func(ctx context.Context) (int64, error) {
			return p.Store.Prune(ctx, before, pruneBatch)
		})
		if err != nil {
			return fmt.Errorf("remove old documents from the database: %w", err)
		}
		removed += n
		wait := prunePause
		if n < pruneBatch {
			if removed > 0 {
				p.log.Info("old documents removed from the database", "documents", removed)
			}
			removed = 0
			if wait, err = p.untilPrune(ctx); err != nil {
				return err
			}
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
	return nil
}

// untilPrune returns how long to wait until a row may be due.
func (p *Pipeline) untilPrune(ctx context.Context) (time.Duration, error) {
	oldest, err := read(ctx, p, p.Store.OldestFinished)
	wait := p.KeepHistory // what finishes from now on is due after that
	if !oldest.IsZero() {
		wait = time.Until(oldest.Add(p.KeepHistory)) + time.Millisecond
	}
	return max(wait, min(pruneEvery, p.KeepHistory)), err
}

const (
	// emptyFor is how long a folder stays empty before it is removed: whoever made it
	// may be about to use it again.
	emptyFor = time.Minute
	// emptyLook is how often emptied folders are looked at, while there are any.
	emptyLook = 10 * time.Second
)

// emptyFolders are the folders of the inbox that a document was moved out of.
type emptyFolders struct {
	added signal
	mu    sync.Mutex
	due   map[string]time.Time // when to look whether it is empty
}

func newEmptyFolders() *emptyFolders {
	return &emptyFolders{added: newSignal(), due: make(map[string]time.Time)}
}

// add notes that a file was moved out of its folder.
func (e *emptyFolders) add(source string) { e.put(path.Dir(source), time.Now().Add(emptyFor)) }

func (e *emptyFolders) put(dir string, due time.Time) {
	if dir == "." {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.due[dir] = due
	e.added.wake()
}

// take removes and returns the folders that are due, and counts the others.
func (e *emptyFolders) take(now time.Time) (dirs []string, left int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for dir, due := range e.due {
		if !due.After(now) {
			dirs = append(dirs, dir)
			delete(e.due, dir)
		}
	}
	return dirs, len(e.due)
}

// removeEmptyFolders removes the folders of the inbox that docusort emptied, once they
// have been empty for a minute.
func (p *Pipeline) removeEmptyFolders(ctx context.Context) error {
	if err := p.emptiedBefore(ctx); err != nil {
		return fmt.Errorf("read which folders were emptied: %w", err)
	}
	for {
		dirs, left := p.emptied.take(time.Now())
		for _, dir := range dirs {
			p.removeIfEmpty(dir)
		}
		var look time.Time
		if left > 0 || len(dirs) > 0 {
			look = time.Now().Add(emptyLook)
		}
		select {
		case <-p.emptied.added:
			if !sleep(ctx, emptyLook) { // many are added together
				return ctx.Err()
			}
		case <-at(look):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// removeIfEmpty removes a folder if it is empty. That may empty the folder above it,
// which is looked at a minute later.
func (p *Pipeline) removeIfEmpty(dir string) {
	removed, err := filing.RemoveEmptyFolder(p.Inbox, dir)
	if err != nil {
		p.log.Debug("empty folder stays", "path", dir, "err", err)
	}
	if removed {
		p.log.Debug("empty folder removed", "path", dir)
		p.emptied.add(dir)
	}
}

// emptiedBefore finds the folders that an earlier run emptied and had no time to remove:
// those of the documents that it moved last, and the folders above them.
func (p *Pipeline) emptiedBefore(ctx context.Context) error {
	_, err := read(ctx, p, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.Store.LastMoved(ctx, 2*emptyFor, func(source string, finished time.Time) {
			due := finished.Add(emptyFor)
			for dir := path.Dir(source); dir != "."; dir = path.Dir(dir) {
				p.emptied.put(dir, due)
				due = time.Now().Add(emptyFor)
			}
		})
	})
	return err
}
