package watcher

import (
	"context"
	"os"
	"time"
)

// limits bound memory and the work done between two looks at everything else.
type limits struct {
	candidates int // files waited for; half of it for those found unfinished
	hints      int // paths with events not looked at yet
	recent     int // files remembered as sent
	notes      int // paths remembered as logged, of each kind
	batch      int // steps of one kind of work in a row
}

var defaultLimits = limits{candidates: 16384, hints: 4096, recent: 4096, notes: 1024, batch: 64}

const (
	rootCheck    = 10 * time.Second // between two looks at the inbox's identity
	missingCheck = time.Second      // the same while it is missing
	deniedRescan = 10 * time.Second // at most between two scans without watches
	maxPause     = 30 * time.Second // between two looks at an unfinished file
	minPause     = 100 * time.Millisecond
	offerCheck   = time.Second      // between two looks at a file nobody takes
	resendAfter  = 10 * time.Second // at most until a rescan sends a file again
)

// loop is one run. All its state belongs to the goroutine that called run;
// nothing here is locked. The only other goroutine is the pump, which shares
// hints with it and nothing else.
type loop struct {
	*Watcher
	once bool
	left []string // once: files given up

	n     notifier // nil: none, or none to be had
	hints *hints
	queue taken // hints taken and not looked at yet

	cands     candidates
	offered   *candidate // head of the queue, found fit to be sent
	offeredAt time.Time  // when it was found so
	sent      recent
	notes     notes
	logged    map[string]lastError

	root    *os.Root // the inbox, open during one turn only
	rootID  identity
	present bool  // the inbox was there at the last look
	absent  bool  // it was reported missing
	fatal   error // once: the inbox cannot be read
	folders folders
	denied  bool            // watches were refused
	asked   bool            // and in this scan too
	devices map[uint64]bool // filesystems met by this scan

	scan      scan
	again     bool      // another full scan is needed
	notBefore time.Time // of a scan that only lost hints ask for
	nextScan  time.Time
	nextRoot  time.Time
	took      time.Duration // by the last full scan
}

func newLoop(w *Watcher, once bool) *loop {
	l := &loop{Watcher: w, once: once}
	l.cands = newCandidates()
	l.logged = make(map[string]lastError)
	l.devices = make(map[uint64]bool)
	l.sent.max = w.limits.recent
	l.notes.max = w.limits.notes
	return l
}

// always is ready to be received from: it keeps select from sleeping while
// there is work, without shutting out the other cases.
var always = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (l *loop) run(ctx context.Context) ([]string, error) {
	defer l.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		l.turn(time.Now())
		out, path := l.offer()
		l.release()
		if l.fatal != nil {
			return nil, l.fatal
		}
		if l.once && l.finished() {
			return l.left, nil
		}
		var more, wake <-chan struct{}
		if l.busy(time.Now()) {
			more = always
		}
		if l.hints != nil && len(l.queue.order) == 0 {
			wake = l.hints.wake
		}
		timer.Reset(time.Until(l.nextWake()))
		select {
		case <-ctx.Done():
		case out <- path:
			l.delivered()
			l.sendMore()
		case <-wake:
			l.take()
		case <-l.kick:
			l.again, l.notBefore = true, time.Time{}
		case <-l.pulse:
		case <-more:
		case <-timer.C:
		}
	}
	for p := range l.cands.byPath {
		l.left = append(l.left, p)
	}
	return l.left, nil
}

// turn does a bounded amount of each kind of work that is due.
func (l *loop) turn(now time.Time) {
	if !now.Before(l.nextRoot) {
		l.checkRoot()
	}
	if l.present && l.scanDue(now) {
		l.beginScan()
	}
	l.lookAtHints()
	l.settleDue(now)
	l.scanSome()
}

func (l *loop) scanDue(now time.Time) bool {
	if l.scan.full || l.once {
		return false // one at a time; again is kept until it ends
	}
	if l.again && !now.Before(l.notBefore) && l.cands.len() <= l.limits.candidates/2 {
		return true
	}
	return !now.Before(l.nextScan)
}

// busy reports whether a turn would find work without anything happening.
func (l *loop) busy(now time.Time) bool {
	c := l.cands.due.first()
	return len(l.queue.order) > 0 || l.scanCanGoOn() ||
		c != nil && !c.due.After(now) ||
		l.cands.ready.first() != l.offered
}

// nextWake is when time alone brings work.
func (l *loop) nextWake() time.Time {
	at := l.nextRoot
	earlier := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if c := l.cands.due.first(); c != nil {
		earlier(c.due)
	}
	if l.offered != nil {
		earlier(l.offeredAt.Add(offerCheck))
	}
	if l.present && !l.scan.full && !l.once {
		earlier(l.nextScan)
		if l.again && l.cands.len() <= l.limits.candidates/2 {
			earlier(l.notBefore)
		}
	}
	return at
}

// finished reports, for RunOnce, that nothing is left that could still settle.
func (l *loop) finished() bool { return l.present && !l.scan.active() && l.cands.len() == 0 }

// take fetches the collected hints, to be looked at in the next turns.
func (l *loop) take() {
	l.queue = l.hints.take()
	if l.queue.err != nil {
		l.log.Warn("inotify reports an error; scanning the whole inbox", "err", l.queue.err)
	}
	if l.queue.lost {
		l.again = true
	}
	if l.queue.ended {
		l.closeNotifier()
		l.deny("", errEnded)
		l.again = true
	}
}

func (l *loop) lookAtHints() {
	q := &l.queue
	n := min(len(q.order), l.limits.batch)
	for _, name := range q.order[:n] {
		l.hint(name, q.paths[name])
	}
	if q.order = q.order[n:]; len(q.order) == 0 {
		*q = taken{} // free what it held
	}
}

func (l *loop) close() {
	l.release()
	l.scan.stop()
	l.closeNotifier()
}

func (l *loop) markReady() { l.readyOnce.Do(func() { close(l.ready) }) }
