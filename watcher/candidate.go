package watcher

import (
	"container/heap"
	"container/list"
	"io/fs"
	"syscall"
	"time"
)

// identity tells one file or folder from another for as long as it exists.
type identity struct{ dev, ino uint64 }

// shape is all that must stand still for a file to settle.
type shape struct {
	identity
	size         int64
	mtime, ctime syscall.Timespec
}

func identityOf(info fs.FileInfo) identity { return shapeOf(info).identity }

func shapeOf(info fs.FileInfo) shape {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return shape{size: info.Size()}
	}
	return shape{identity{uint64(st.Dev), st.Ino}, st.Size, st.Mtim, st.Ctim}
}

// candidate is a file that has not been sent yet. It is either waiting, with a
// time to look at it next, or ready, in the queue to be sent.
//
//	         due, changed, Writing, Incomplete
//	          ┌────────────┐
//	          ▼            │ due, Complete
//	new ─► waiting ────────┴──────────────► ready ─► sent
//	          ▲                               │
//	          └───────────── changed ─────────┘
type candidate struct {
	path  string
	shape shape
	first time.Time     // when it was first seen
	since time.Time     // when it was last seen to have changed
	due   time.Time     // when to look again
	pause time.Duration // the last pause after Writing or Incomplete; 0: none yet
	sent  bool          // it was sent before, and may be known by now
	order uint64        // earlier ones first where due is equal
	index int           // place in the heap; -1: not in it
	place *list.Element // place in the queue; nil: not in it
}

// candidates holds every candidate, by path and either by due time or, when
// ready, in the order of sending.
type candidates struct {
	byPath map[string]*candidate
	due    dueHeap
	ready  list.List
	stuck  int // those with a pause: looked into and found unfinished
	count  uint64
}

func (cs *candidates) len() int { return len(cs.byPath) }

// add makes a new candidate, to be looked at when due.
func (cs *candidates) add(path string, s shape, now, due time.Time) {
	cs.count++
	c := &candidate{path: path, shape: s, first: now, since: now, due: due, order: cs.count}
	cs.byPath[path] = c
	heap.Push(&cs.due, c)
}

// wait makes c look again at due after the given pause (0: it changed).
func (cs *candidates) wait(c *candidate, due time.Time, pause time.Duration) {
	cs.setPause(c, pause)
	c.due = due
	if c.place != nil {
		cs.ready.Remove(c.place)
		c.place = nil
		heap.Push(&cs.due, c)
		return
	}
	heap.Fix(&cs.due, c.index)
}

// makeReady puts c at the end of the queue.
func (cs *candidates) makeReady(c *candidate) {
	cs.setPause(c, 0)
	heap.Remove(&cs.due, c.index)
	c.place = cs.ready.PushBack(c)
}

func (cs *candidates) remove(c *candidate) {
	cs.setPause(c, 0)
	if c.place != nil {
		cs.ready.Remove(c.place)
		c.place = nil
	} else {
		heap.Remove(&cs.due, c.index)
	}
	delete(cs.byPath, c.path)
}

func (cs *candidates) setPause(c *candidate, pause time.Duration) {
	if c.pause > 0 {
		cs.stuck--
	}
	if pause > 0 {
		cs.stuck++
	}
	c.pause = pause
}

// next is the candidate that is due first, or nil.
func (cs *candidates) next() *candidate {
	if len(cs.due) == 0 {
		return nil
	}
	return cs.due[0]
}

// head is the candidate that has been ready longest, or nil.
func (cs *candidates) head() *candidate {
	e := cs.ready.Front()
	if e == nil {
		return nil
	}
	return e.Value.(*candidate)
}

type dueHeap []*candidate

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	if c := h[i].due.Compare(h[j].due); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) Push(x any) {
	c := x.(*candidate)
	c.index = len(*h)
	*h = append(*h, c)
}

func (h *dueHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	old[len(old)-1] = nil
	c.index = -1
	*h = old[:len(old)-1]
	return c
}
