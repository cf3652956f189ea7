package watcher

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// limits bound memory and the work done in one round.
type limits struct {
	candidates int // files waited for
	hints      int // paths with events in one round; folders of them to be scanned
	sent       int // files remembered as sent
	logged     int // paths remembered as logged, of each message
	batch      int // steps of one kind of work in a row
}

var defaultLimits = limits{candidates: 16384, hints: 4096, sent: 4096, logged: 1024, batch: 64}

const (
	rootCheck    = 10 * time.Second // between two looks at the inbox's identity
	missingCheck = time.Second      // the same while it is missing
)

// loop is one run. Its parts belong to the goroutine that called run; nothing
// here is locked.
type loop struct {
	*Watcher
	once     bool
	log      *logOnce
	inbox    inbox
	files    settler
	watches  watches
	hints    map[string]fsnotify.Op // paths that events told of since the last round
	scan     scan
	schedule schedule
}

func newLoop(w *Watcher, once bool) *loop {
	l := &loop{
		Watcher: w,
		once:    once,
		log: &logOnce{Logger: w.cfg.Logger, root: w.cfg.Root, max: w.limits.logged,
			seen: make(map[string]map[string]uint64)},
		inbox:    inbox{path: w.cfg.Root},
		hints:    make(map[string]fsnotify.Op),
		schedule: schedule{rescan: w.cfg.Rescan},
	}
	l.files = settler{
		cfg: &w.cfg, limits: w.limits, log: l.log, inbox: &l.inbox, once: once,
		candidates: newCandidates(), sent: make(map[string]sending),
		crowd: crowd{files: make(map[string]outsider)}, hidden: make(map[string]outsider),
	}
	l.watches.log = l.log
	if w.cfg.Mode != Poll && !once {
		l.watches.open = w.open
	}
	return l
}

func (l *loop) run(ctx context.Context) (left []string, err error) {
	defer l.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		l.heartbeat.beat()
		if err := l.round(time.Now()); err != nil {
			return nil, err
		}
		out, path := l.files.offer()
		l.inbox.close()
		if l.once && l.inbox.present && !l.scan.active() && l.files.candidates.len() == 0 {
			return l.files.left, nil // nothing is left that could still settle
		}
		timer.Reset(time.Until(l.nextWake()))
		l.heartbeat.idle()
		select {
		case <-ctx.Done():
		case out <- path:
			l.files.delivered()
		case ev, ok := <-l.watches.events:
			l.takeEvents(ev, ok)
		case err, ok := <-l.watches.errors:
			l.takeError(err, ok)
		case <-l.kick:
			l.schedule.again, l.schedule.end = true, time.Time{}
		case <-timer.C:
		}
	}
	return l.files.unsent(), nil
}

func (l *loop) close() {
	l.heartbeat.idle()
	l.left.Store(nil)
	l.inbox.close()
	l.scan.stop()
	l.watches.close()
}

// round does a bounded amount of each kind of work that is due. It returns an
// error only where RunOnce cannot read the inbox.
func (l *loop) round(now time.Time) error {
	l.list(now)
	if !now.Before(l.inbox.nextCheck) {
		if err := l.checkInbox(now); err != nil {
			return err
		}
	}
	if !now.Before(l.nextScan()) {
		l.beginScan()
	}
	l.lookAtHints()
	l.files.settleDue(now)
	return l.scanSome()
}

// nextScan returns when the next full scan is due. While none can begin, it
// returns when the inbox is checked next.
func (l *loop) nextScan() time.Time {
	if !l.inbox.present || l.scan.full || l.once {
		return l.inbox.nextCheck
	}
	return l.schedule.next(l.watches.degraded || len(l.files.crowd.files) > 0)
}

// nextWake returns when there is work to do unless something happens before.
func (l *loop) nextWake() time.Time {
	if l.canScan() {
		return time.Now()
	}
	next := earlier(l.inbox.nextCheck, l.nextScan())
	if !l.files.listAt.IsZero() {
		next = earlier(next, l.files.listAt)
	}
	return l.files.nextWake(next)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// checkInbox checks that the inbox is still the folder that is watched. Being
// unmounted or mounted over brings no event at all.
func (l *loop) checkInbox(now time.Time) error {
	info, err := os.Stat(l.cfg.Root)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "watch", Path: l.cfg.Root, Err: syscall.ENOTDIR}
	}
	in := &l.inbox
	switch {
	case err != nil && l.once:
		return fmt.Errorf("inbox: %w", err)
	case err != nil:
		in.nextCheck, in.present = now.Add(missingCheck), false
		l.scan.stop()
		l.watches.forgetTree("")
		if !in.missing {
			in.missing = true
			l.noteChange()
			l.log.Warn("inbox is missing; waiting for it", l.log.at(""), "err", err)
		}
		return nil
	case in.missing:
		in.missing = false
		l.log.Info("inbox is back", l.log.at(""))
	}
	in.nextCheck = now.Add(rootCheck)
	if !in.present || in.id != identityOf(info) || l.watches.died() {
		in.present = true
		l.noteChange()
		l.beginScan()
	}
	return nil
}

const degradedRescan = 10 * time.Second // at most between two scans without watches

// schedule says when the next full scan is due.
type schedule struct {
	rescan time.Duration
	again  bool          // events were lost, or somebody asked
	took   time.Duration // by the last full scan
	end    time.Time     // of the last full scan; zero: scan at once
}

// next returns when the next full scan is due. It is sooner where watches are
// missing (degraded), but scanning never takes more than about a tenth of the
// time. Where events were lost, the pause is as long as the last scan took.
func (s *schedule) next(degraded bool) time.Time {
	pause := s.rescan
	if degraded {
		pause = min(pause, max(degradedRescan, 10*s.took))
	}
	if s.again {
		pause = min(pause, s.took)
	}
	return s.end.Add(pause)
}
