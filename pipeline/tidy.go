package pipeline

import (
	"container/heap"
	"context"
	"fmt"
	"path"
	"sync"
	"time"

	"docusort/pipeline/filing"
)

// emptyFor is how long a folder of the inbox stays empty before it is removed.
const emptyFor = time.Minute

// tidyFolders removes the folders of the inbox that filing emptied, once they
// have been empty for a while: whoever made them may be about to use them again.
func (p *Pipeline) tidyFolders(ctx context.Context) error {
	left := emptyFolders{due: make(map[string]time.Time)}
	if err := p.emptiedBefore(ctx, &left); err != nil && ctx.Err() == nil {
		return fmt.Errorf("which folders were emptied: %w", err)
	}
	for {
		select {
		case <-p.emptied.added:
			due := time.Now().Add(emptyFor)
			for dir := range p.emptied.take() {
				left.put(dir, due)
			}
		case <-at(left.next()):
			p.removeEmpty(&left)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// emptiedBefore finds the folders that an earlier run emptied and did not remove:
// it ended within the time that they are left. What it filed last tells which they
// are, and a folder that is gone by now, that the one above it may be next.
func (p *Pipeline) emptiedBefore(ctx context.Context, left *emptyFolders) error {
	now := time.Now()
	_, err := asked(ctx, p, nil, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.Store.LastMoved(ctx, 2*emptyFor, func(source string, finished time.Time) {
			due := finished.Add(emptyFor)
			for dir := path.Dir(source); dir != "." && left.due[dir].Before(due); dir = path.Dir(dir) {
				left.put(dir, due)
				due = now.Add(emptyFor)
			}
		})
	})
	return err
}

// folders is a set that one goroutine fills and another empties, neither waiting
// for the other.
type folders struct {
	added signal
	mu    sync.Mutex
	names map[string]struct{}
}

func newFolders() *folders {
	return &folders{added: newSignal(), names: make(map[string]struct{})}
}

func (f *folders) add(name string) {
	f.mu.Lock()
	f.names[name] = struct{}{}
	f.mu.Unlock()
	f.added.wake()
}

func (f *folders) take() map[string]struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := f.names
	f.names = make(map[string]struct{})
	return names
}

// emptyFolders are those to look at, each once: there are as many as were filed
// from within emptyFor.
type emptyFolders struct {
	due   map[string]time.Time
	order folderHeap // by when they were due at first: it may be later by now
}

type emptyFolder struct {
	dir string
	due time.Time
}

func (e *emptyFolders) put(dir string, due time.Time) {
	if _, known := e.due[dir]; !known {
		heap.Push(&e.order, emptyFolder{dir, due})
	}
	e.due[dir] = due
}

// next is when there is one to look at; zero: there is none.
func (e *emptyFolders) next() time.Time {
	if len(e.order) == 0 {
		return time.Time{}
	}
	return e.order[0].due
}

// take returns one that is due.
func (e *emptyFolders) take(now time.Time) (dir string, ok bool) {
	for len(e.order) > 0 && !e.order[0].due.After(now) {
		first := &e.order[0]
		if due := e.due[first.dir]; due.After(first.due) {
			first.due = due
			heap.Fix(&e.order, 0)
			continue
		}
		dir = heap.Pop(&e.order).(emptyFolder).dir
		delete(e.due, dir)
		return dir, true
	}
	return "", false
}

// removeEmpty removes the folders that are due. The one above a removed folder
// was emptied by that, and waits its turn.
func (p *Pipeline) removeEmpty(left *emptyFolders) {
	now := time.Now()
	for dir, ok := left.take(now); ok; dir, ok = left.take(now) {
		removed, err := filing.RemoveEmptyFolder(p.Inbox, dir)
		if err != nil {
			p.log.Debug("empty folder stays", "path", dir, "err", err)
		}
		if !removed {
			continue
		}
		p.log.Debug("empty folder removed", "path", dir)
		if above := path.Dir(dir); above != "." {
			left.put(above, now.Add(emptyFor))
		}
	}
}

// folderHeap orders folders by when they are due; see container/heap.
type folderHeap []emptyFolder

func (h folderHeap) Len() int           { return len(h) }
func (h folderHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h folderHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *folderHeap) Push(x any)        { *h = append(*h, x.(emptyFolder)) }
func (h *folderHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
