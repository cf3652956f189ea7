package pipeline

import (
	"context"
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
	due := make(map[string]time.Time) // bounded by the folders that were filed from within emptyFor
	for {
		select {
		case <-p.emptied.added:
			for dir := range p.emptied.take() {
				due[dir] = time.Now().Add(emptyFor)
			}
		case <-at(earliest(due)):
			p.removeEmpty(due)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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

func earliest(due map[string]time.Time) (first time.Time) {
	for _, at := range due {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// removeEmpty removes the folders that are due. The one above a removed folder
// was emptied by that, and waits its turn.
func (p *Pipeline) removeEmpty(due map[string]time.Time) {
	now := time.Now()
	for dir, at := range due {
		if now.Before(at) {
			continue
		}
		delete(due, dir)
		removed, err := filing.RemoveEmptyFolder(p.Inbox, dir)
		if err != nil {
			p.log.Debug("empty folder stays", "path", dir, "err", err)
		}
		if !removed {
			continue
		}
		p.log.Debug("empty folder removed", "path", dir)
		if above := path.Dir(dir); above != "." {
			due[above] = now.Add(emptyFor)
		}
	}
}
