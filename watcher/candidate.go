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

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

func stateOf(info fs.FileInfo) fileState {
	st := info.Sys().(*syscall.Stat_t)
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
	path   string
	owner  uint32
	state  fileState
	first  time.Time     // when it was first seen
	added  time.Time     // when it got its place here
	since  time.Time     // when it was last seen to have changed
	due    time.Time     // when to look again
	found  Condition     // what the last look found
	pause  time.Duration // the last pause after Writing or Incomplete; 0: none yet
	listed bool          // as not taken
	queue  *queue        // the one that it is in
	index  int           // its place there
}

// candidates holds every candidate, by path and in a queue: those waiting in one for
// each owner, by the time to look at them, and those ready in one, the one that was
// written first in front.
type candidates struct {
	byPath  map[string]*candidate
	places  map[uint32]int // taken by each owner
	waiting map[uint32]*queue
	turns   uint64 // that the owners have had
	ready   queue
}

func newCandidates() candidates {
	return candidates{
		byPath:  make(map[string]*candidate),
		places:  make(map[uint32]int),
		waiting: make(map[uint32]*queue),
		ready: queue{before: func(a, b *candidate) bool {
			x, y := a.state.mtime, b.state.mtime
			return cmp.Or(cmp.Compare(x.Sec, y.Sec), cmp.Compare(x.Nsec, y.Nsec)) < 0
		}},
	}
}

func (cs *candidates) len() int { return len(cs.byPath) }

func (cs *candidates) add(c *candidate) {
	cs.byPath[c.path] = c
	cs.places[c.owner]++
	cs.wait(c, c.due, 0)
}

// wait has c looked at again when due, after the given pause (0: it changed).
func (cs *candidates) wait(c *candidate, due time.Time, pause time.Duration) {
	c.due, c.pause = due, pause
	q := cs.waiting[c.owner]
	if q == nil {
		q = &queue{before: func(a, b *candidate) bool { return a.due.Before(b.due) }}
		cs.waiting[c.owner] = q
	}
	q.put(c)
}

func (cs *candidates) remove(c *candidate) {
	heap.Remove(c.queue, c.index)
	delete(cs.byPath, c.path)
	if cs.places[c.owner]--; cs.places[c.owner] == 0 {
		delete(cs.places, c.owner)
		delete(cs.waiting, c.owner)
	}
}

// due returns a candidate that is to be looked at, of each owner in turn, or nil:
// nobody's files wait behind all that another has put there.
func (cs *candidates) due(now time.Time) *candidate {
	var next *queue
	for _, q := range cs.waiting {
		if c := q.first(); c != nil && !c.due.After(now) && (next == nil || q.turn < next.turn) {
			next = q
		}
	}
	if next == nil {
		return nil
	}
	cs.turns++
	next.turn = cs.turns
	return next.first()
}

// nextDue returns when the next candidate is to be looked at, which is no later than at.
func (cs *candidates) nextDue(at time.Time) time.Time {
	for _, q := range cs.waiting {
		if c := q.first(); c != nil {
			at = earlier(at, c.due)
		}
	}
	return at
}

// queue is a heap of candidates.
type queue struct {
	before func(a, b *candidate) bool
	all    []*candidate
	turn   uint64 // the last one that its owner had
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
	if c.queue != nil {
		heap.Remove(c.queue, c.index)
	}
	heap.Push(q, c)
}

// Len, Less, Swap, Push and Pop are for package heap.

func (q *queue) Len() int           { return len(q.all) }
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
