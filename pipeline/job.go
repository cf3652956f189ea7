package pipeline

import (
	"sync/atomic"
	"time"

	"docusort/store"
)

// job is one job in flight. What is not the scheduler's own is written by the
// goroutine that asks, and read when that has ended.
type job struct {
	doc     store.Document
	began   time.Time     // the service has it since then; the scheduler's
	due     time.Time     // the scheduler's
	asked   time.Duration // its age when it was last asked for; the scheduler's
	known   time.Duration // its age when it was last known to be unfinished; the scheduler's
	suspect bool          // the scheduler's
	awaited awaited       // of its question, while one is under way

	troubled bool          // the service was asked, and could not answer
	denied   bool          // the service said that it is not ours
	lost     bool          // the service did not know it when last asked
	over     bool          // nothing more is to be asked
	sent     time.Duration // its age when it was asked for, past the gate
	said     said
	took     time.Duration // by the service's clock, where that makes sense at all
}

// said is what the service's last answer told of how long the job takes.
type said int

const (
	nothing said = iota
	unfinished
	finished
)

// awaited is how far a question is: the time since the scheduler began at which the
// service began to be waited for, or one of these.
type awaited struct{ atomic.Int64 }

const (
	atGate  = -iota // it may not be made yet
	watched         // nor that, and the scheduler is to be told when it may
	back            // the service is not waited for any more
)

// passes notes that the service is waited for now. It says whether the scheduler
// is to be told.
func (a *awaited) passes(since time.Duration) bool { return a.Swap(int64(max(since, 1))) == watched }

// waits returns since when the service is waited for; 0: it is not. A question
// that is still at the gate is watched from here on.
func (a *awaited) waits() time.Duration {
	if a.CompareAndSwap(atGate, watched) {
		return 0
	}
	return time.Duration(max(a.Load(), 0))
}

// jobHeap orders jobs by when they are due; see container/heap.
type jobHeap []*job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h jobHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobHeap) Push(x any)        { *h = append(*h, x.(*job)) }
func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return j
}
