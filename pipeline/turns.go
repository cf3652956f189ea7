package pipeline

import (
	"slices"
	"time"
)

// turns is where requests wait for the pace, ours or the learned one. The first
// sleeps until the pace lets it through, and wakes the next; all others
// sleep until they are woken. Polls and submissions queue on their own and take
// turns while both wait, so that neither starves: answers to what is paid for
// come through, and an upload follows on every one of them. More polls than
// that would ask early for jobs that are not done; the jobs that turns keep
// waiting are done when they are asked for, so that few requests are wasted.
type turns struct {
	queues [2][]*place // polls, submissions
	latest int         // the queue of the request that passed last
	looks  int         // how often somebody looked whether it is its turn
}

// place is one request's in the line.
type place struct {
	queue  int
	queued bool
	woken  chan struct{} // holds one
}

// turn returns the channel that says that the place may be the first.
func (p *place) turn() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.woken
}

func queueOf(r request) int {
	if r.submission {
		return 1
	}
	return 0
}

// first returns the place whose turn it is; nil where nobody waits.
func (t *turns) first() *place {
	for _, q := range []int{1 - t.latest, t.latest} {
		if len(t.queues[q]) > 0 {
			return t.queues[q][0]
		}
	}
	return nil
}

func (t *turns) add(p *place) {
	if !p.queued {
		t.queues[p.queue], p.queued = append(t.queues[p.queue], p), true
	}
}

// remove takes a place out, and wakes whose turn it is then.
func (t *turns) remove(p *place) {
	if p == nil || !p.queued {
		return
	}
	q := t.queues[p.queue]
	i := slices.Index(q, p)
	t.queues[p.queue], p.queued = slices.Delete(q, i, i+1), false
	if first := t.first(); first != nil {
		select {
		case first.woken <- struct{}{}:
		default:
		}
	}
}

// leave gives a place up.
func (g *gate) leave(p *place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turns.remove(p)
}

// turn takes one request out of the pace, or returns how long to wait; for who
// is not the first, until it is woken. It is asked last, so that what waits for
// its turn sees the holds that begin meanwhile.
func (g *gate) turn(r request, in **place, now time.Time) time.Duration {
	queue, wait := queueOf(r), time.Duration(0)
	if g.limiter != nil || g.learned.top != 0 {
		g.turns.looks++
		first := g.turns.first()
		if first == nil || first == *in || queue != g.turns.latest && len(g.turns.queues[queue]) == 0 {
			wait = g.paced(now)
		} else {
			wait = longestWait
		}
		if wait > 0 {
			if *in == nil {
				*in = &place{queue: queue, woken: make(chan struct{}, 1)}
			}
			g.turns.add(*in)
			return wait
		}
	}
	g.learned.spend(now)
	g.turns.latest = queue
	g.turns.remove(*in)
	return 0
}

// paced takes one request out of our own limit when the learned pace lets it
// through, or returns how long to wait.
func (g *gate) paced(now time.Time) time.Duration {
	wait := g.learned.wait(now)
	if g.limiter == nil {
		return wait
	}
	own := g.limiter.ReserveN(now, 1)
	wait = max(wait, own.DelayFrom(now))
	if wait > 0 {
		own.CancelAt(now)
	}
	return wait
}

// spendPing counts a ping, which goes at once: the next request goes later.
func (g *gate) spendPing() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.limiter != nil {
		g.limiter.ReserveN(now, 1)
	}
	g.learned.spend(now)
}
