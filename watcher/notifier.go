package watcher

import (
	"errors"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// notifier is what this package needs of fsnotify, so that tests can play
// events, overflows and refusals. Both channels are closed when it ends.
type notifier interface {
	add(folder string) error // watching a folder twice is no error
	remove(folder string) error
	watching(folder string) bool
	events() <-chan fsnotify.Event
	errors() <-chan error
	close() error
}

type inotify struct{ w *fsnotify.Watcher }

func openInotify() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return inotify{w}, nil
}

func (n inotify) add(folder string) error       { return n.w.Add(folder) }
func (n inotify) remove(folder string) error    { return n.w.Remove(folder) }
func (n inotify) watching(folder string) bool   { return slices.Contains(n.w.WatchList(), folder) }
func (n inotify) events() <-chan fsnotify.Event { return n.w.Events }
func (n inotify) errors() <-chan error          { return n.w.Errors }
func (n inotify) close() error                  { return n.w.Close() }

// hints collects events while the loop is busy, so that the kernel's queue is
// always drained: the operations per path, and when there are too many paths
// only that something changed. One goroutine, the pump, puts in; the loop
// takes out. It is the only state that the two share.
type hints struct {
	wake chan struct{} // holds one token: there is something to take
	done chan struct{} // closed when the pump has ended

	mu  sync.Mutex
	max int
	taken
}

// taken is what was collected until the loop took it.
type taken struct {
	paths map[string]fsnotify.Op
	order []string // the same paths, first hint first
	lost  bool     // events were dropped: scan everything
	err   error    // the last error other than an overflow
	ended bool     // the notifier closed its channels
}

// pump starts collecting from n. It ends when n is closed.
func pump(n notifier, max int) *hints {
	h := &hints{
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
		max:  max,
	}
	go func() {
		defer close(h.done)
		events, errs := n.events(), n.errors()
		for events != nil || errs != nil {
			select {
			case ev, ok := <-events:
				if !ok {
					events = nil
					continue
				}
				h.event(ev)
			case err, ok := <-errs:
				if !ok {
					errs = nil
					continue
				}
				h.error(err)
			}
		}
		h.put(func() { h.ended = true })
	}()
	return h
}

func (h *hints) event(ev fsnotify.Event) {
	h.put(func() {
		if _, ok := h.paths[ev.Name]; !ok {
			if h.paths == nil || len(h.order) >= h.max {
				h.lost = h.lost || h.paths != nil // the scan will look at these too
				h.paths, h.order = make(map[string]fsnotify.Op), nil
			}
			h.order = append(h.order, ev.Name)
		}
		h.paths[ev.Name] |= ev.Op
	})
}

func (h *hints) error(err error) {
	h.put(func() {
		h.lost = true // whatever it was, events may be missing
		if !errors.Is(err, fsnotify.ErrEventOverflow) {
			h.err = err
		}
	})
}

func (h *hints) put(change func()) {
	h.mu.Lock()
	change()
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take hands over all that was collected and starts afresh.
func (h *hints) take() taken {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.taken
	h.taken = taken{}
	return t
}
