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

// fileState is all that must stand still for a file to settle.
type fileState struct {
	identity
	size         int64
	mtime, ctime syscall.Timespec
}

func identityOf(info fs.FileInfo) identity { return stateOf(info).identity }

func stateOf(info fs.FileInfo) fileState {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileState{size: info.Size()}
	}
	return fileState{identity{uint64(st.Dev), st.Ino}, st.Size, st.Mtim, st.Ctim}
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
	state fileState
	first time.Time     // when it was first seen
	since time.Time     // when it was last seen to have changed
	due   time.Time     // when to look again
	pause time.Duration // the last pause after Writing or Incomplete; 0: none yet
	queue *queue        // the one that it is in
	index int           // its place there
}

// candidates holds every candidate, by path and in one of two queues: those
// waiting, by the time to look at them, and those ready, the one that was
// written first in front.
type candidates struct {
	byPath     map[string]*candidate
	waiting    queue
	ready      queue
	unfinished int // those with a pause
}

func newCandidates() candidates {
	return candidates{
		byPath:  make(map[string]*candidate),
		waiting: queue{before: func(a, b *candidate) bool { return a.due.Before(b.due) }},
		ready: queue{before: func(a, b *candidate) bool {
			x, y := a.state.mtime, b.state.mtime
			return cmp.Or(cmp.Compare(x.Sec, y.Sec), cmp.Compare(x.Nsec, y.Nsec)) < 0
		}},
	}
}

func (cs *candidates) len() int { return len(cs.byPath) }

// add makes a new candidate, which has stood still since the given time.
func (cs *candidates) add(path string, s fileState, now, since, due time.Time) {
	c := &candidate{path: path, state: s, first: now, since: since, due: due}
	cs.byPath[path] = c
	cs.waiting.put(c)
}

// wait has c looked at again when due, after the given pause (0: it changed).
func (cs *candidates) wait(c *candidate, due time.Time, pause time.Duration) {
	cs.setPause(c, pause)
	c.due = due
	cs.waiting.put(c)
}

// makeReady puts c among those to be sent.
func (cs *candidates) makeReady(c *candidate) {
	cs.setPause(c, 0)
	cs.ready.put(c)
}

func (cs *candidates) remove(c *candidate) {
	cs.setPause(c, 0)
	heap.Remove(c.queue, c.index)
	delete(cs.byPath, c.path)
}

func (cs *candidates) setPause(c *candidate, pause time.Duration) {
	if c.pause > 0 {
		cs.unfinished--
	}
	if pause > 0 {
		cs.unfinished++
	}
	c.pause = pause
}

// queue is a heap of candidates.
type queue struct {
	before func(a, b *candidate) bool
	all    []*candidate
}

// first is the candidate at the front, or nil.
func (q *queue) first() *candidate {
	if len(q.all) == 0 {
		return nil
	}
	return q.all[0]
}

// put moves a candidate here from the queue that it is in, or to its new place
// in this one.
func (q *queue) put(c *candidate) {
	if c.queue == q {
		heap.Fix(q, c.index)
		return
	}
	if c.queue != nil {
		heap.Remove(c.queue, c.index)
	}
	heap.Push(q, c)
}

// Len, Less, Swap, Push and Pop are for package heap.

func (q *queue) Len() int { return len(q.all) }

func (q *queue) Less(i, j int) bool { return q.before(q.all[i], q.all[j]) }

func (q *queue) Swap(i, j int) {
	q.all[i], q.all[j] = q.all[j], q.all[i]
	q.all[i].index, q.all[j].index = i, j
}

func (q *queue) Push(x any) {
	c := x.(*candidate)
	c.queue, c.index = q, len(q.all)
	q.all = append(q.all, c)
}

func (q *queue) Pop() any {
	last := len(q.all) - 1
	c := q.all[last]
	q.all[last] = nil
	q.all = q.all[:last]
	c.queue = nil
	return c
}
