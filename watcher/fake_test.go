package watcher

import (
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

func (f *fake) add(folder string) error {
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

func (f *fake) remove(folder string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.has[folder] {
		return fsnotify.ErrNonExistentWatch
	}
	f.removes++
	delete(f.has, folder)
	return nil
}

func (f *fake) watching(folder string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.has[folder]
}

func (f *fake) events() <-chan fsnotify.Event { return f.ev }
func (f *fake) errors() <-chan error          { return f.errs }

func (f *fake) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.ev)
		close(f.errs)
	}
	return nil
}

func (f *fake) watched() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for p := range f.has {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}
