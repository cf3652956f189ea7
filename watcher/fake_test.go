package watcher

import (
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// fake plays inotify: it says what the test tells it to, and nothing else.
type fake struct {
	ev   chan fsnotify.Event
	errs chan error

	mu      sync.Mutex
	has     map[string]bool
	adds    int
	removes int
	refuse  func(folder string) error
	closed  bool
}

func newFake() *fake {
	return &fake{ev: make(chan fsnotify.Event), errs: make(chan error), has: make(map[string]bool)}
}

func (f *fake) Add(folder string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.adds++
	if f.refuse != nil && !f.has[folder] {
		if err := f.refuse(folder); err != nil {
			return err
		}
	}
	if _, err := os.Lstat(folder); err != nil {
		return err
	}
	f.has[folder] = true
	return nil
}

func (f *fake) Remove(folder string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.has[folder] {
		return fsnotify.ErrNonExistentWatch
	}
	f.removes++
	delete(f.has, folder)
	return nil
}

func (f *fake) notifier() notifier { return notifier{f, f.ev, f.errs} }

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.ev)
		close(f.errs)
	}
	return nil
}

func (f *fake) WatchList() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.has))
}
