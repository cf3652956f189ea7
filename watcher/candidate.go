package watcher

import (
	"cmp"
	"container/heap"
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
	order uint64        // earlier ones first where all else is equal
	in    *queue        // where it waits
	index int           // its place there
}

// candidates holds every candidate, by path and in one of two queues: those that
// wait, by the time to look at them, and those that are ready. Of these the file
// that was written first goes first. A folder gives its files in no order at all,
// and what is far apart on the disk and in an index costs more to go through.
type candidates struct {
	byPath map[string]*candidate
	due    queue
	ready  queue
	stuck  int // those with a pause: looked into and found unfinished
	count  uint64
}

func newCandidates() candidates {
	return candidates{
		byPath: make(map[string]*candidate),
		due:    queue{before: func(a, b *candidate) int { return a.due.Compare(b.due) }},
		ready: queue{before: func(a, b *candidate) int {
			return cmp.Or(cmp.Compare(a.shape.mtime.Sec, b.shape.mtime.Sec), cmp.Compare(a.shape.mtime.Nsec, b.shape.mtime.Nsec))
		}},
	}
}

func (cs *candidates) len() int { return len(cs.byPath) }

// add makes a new candidate, to be looked at when due.
func (cs *candidates) add(path string, s shape, now, due time.Time) {
	cs.count++
	c := &candidate{path: path, shape: s, first: now, since: now, due: due, order: cs.count}
	cs.byPath[path] = c
	cs.due.put(c)
}

// wait makes c look again at due after the given pause (0: it changed).
func (cs *candidates) wait(c *candidate, due time.Time, pause time.Duration) {
	cs.setPause(c, pause)
	c.due = due
	cs.due.put(c)
}

// makeReady puts c among those to be sent.
func (cs *candidates) makeReady(c *candidate) {
	cs.setPause(c, 0)
	cs.ready.put(c)
}

func (cs *candidates) remove(c *candidate) {
	cs.setPause(c, 0)
	heap.Remove(c.in, c.index)
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

// queue is a heap of candidates.
type queue struct {
	before func(a, b *candidate) int // negative: a comes first
	all    []*candidate
}

// first is the candidate whose turn it is, or nil.
func (q *queue) first() *candidate {
	if len(q.all) == 0 {
		return nil
	}
	return q.all[0]
}

// put takes a candidate from where it waits, or finds its place anew.
func (q *queue) put(c *candidate) {
	switch c.in {
	case q:
		heap.Fix(q, c.index)
		return
	case nil:
	default:
		heap.Remove(c.in, c.index)
	}
	heap.Push(q, c)
}

// Len, Less, Swap, Push and Pop are for package heap.

func (q *queue) Len() int { return len(q.all) }

func (q *queue) Less(i, j int) bool {
	a, b := q.all[i], q.all[j]
	return cmp.Or(q.before(a, b), cmp.Compare(a.order, b.order)) < 0
}

func (q *queue) Swap(i, j int) {
	q.all[i], q.all[j] = q.all[j], q.all[i]
	q.all[i].index, q.all[j].index = i, j
}

func (q *queue) Push(x any) {
	c := x.(*candidate)
	c.in, c.index = q, len(q.all)
	q.all = append(q.all, c)
}

func (q *queue) Pop() any {
	last := len(q.all) - 1
	c := q.all[last]
	q.all[last] = nil
	q.all = q.all[:last]
	c.in = nil
	return c
}
