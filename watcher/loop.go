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
	candidates int // files waited for; half of it for those found unfinished
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
	once        bool
	log         *logOnce
	inbox       inbox
	files       settler
	watches     watches
	hints       map[string]fsnotify.Op // paths that events told of since the last round
	scan        scan
	schedule    schedule
	filesystems map[uint64]bool // by device: those met so far
}

func newLoop(w *Watcher, once bool) *loop {
	l := &loop{
		Watcher:     w,
		once:        once,
		log:         newLogOnce(w.cfg.Logger, w.cfg.Root, w.limits.logged),
		inbox:       inbox{path: w.cfg.Root},
		hints:       make(map[string]fsnotify.Op),
		schedule:    schedule{rescan: w.cfg.Rescan},
		filesystems: make(map[uint64]bool),
	}
	l.files = settler{
		cfg: &w.cfg, limits: w.limits, log: l.log, inbox: &l.inbox, once: once,
		candidates: newCandidates(), sent: sentFiles{max: w.limits.sent},
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
		if l.once && l.finished() {
			return l.files.left, nil
		}
		timer.Reset(time.Until(l.nextWake(time.Now())))
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
			l.schedule.now()
		case <-timer.C:
		}
	}
	return l.files.unsent(), nil
}

func (l *loop) close() {
	l.heartbeat.idle()
	l.inbox.close()
	l.scan.stop()
	l.watches.close()
}

// round does a bounded amount of each kind of work that is due. It returns an
// error only where RunOnce cannot read the inbox.
func (l *loop) round(now time.Time) error {
	if !now.Before(l.inbox.nextCheck) {
		if err := l.checkInbox(now); err != nil {
			return err
		}
	}
	if at, ok := l.nextScan(); ok && !now.Before(at) {
		l.beginScan()
	}
	l.lookAtHints()
	l.files.settleDue(now)
	return l.scanSome()
}

// nextScan returns when the next full scan is due, if one can begin. There is
// one at a time.
func (l *loop) nextScan() (at time.Time, ok bool) {
	if !l.inbox.present || l.scan.full || l.once {
		return time.Time{}, false
	}
	return l.schedule.next(l.watches.degraded, l.files.hasRoom()), true
}

// nextWake returns when there is work to do unless something happens before.
func (l *loop) nextWake(now time.Time) time.Time {
	if l.canScan() {
		return now
	}
	at := l.inbox.nextCheck
	if scan, ok := l.nextScan(); ok && scan.Before(at) {
		at = scan
	}
	if files := l.files.nextWake(now); !files.IsZero() && files.Before(at) {
		at = files
	}
	return at
}

// finished reports, for RunOnce, that nothing is left that could still settle.
func (l *loop) finished() bool {
	return l.inbox.present && !l.scan.active() && l.files.candidates.len() == 0
}

// checkInbox checks that the inbox is still the folder that is watched. Being
// unmounted or mounted over brings no event at all.
func (l *loop) checkInbox(now time.Time) error {
	info, err := os.Stat(l.cfg.Root)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "watch", Path: l.cfg.Root, Err: syscall.ENOTDIR}
	}
	in := &l.inbox
	if err != nil {
		in.nextCheck = now.Add(missingCheck)
		return l.inboxMissing(err)
	}
	in.nextCheck = now.Add(rootCheck)
	if in.missing {
		in.missing = false
		l.log.Info("inbox is back", l.log.at(""))
	}
	if in.present && in.id == identityOf(info) && !l.watches.died() {
		return nil
	}
	in.present = true
	l.beginScan()
	return nil
}

func (l *loop) inboxMissing(err error) error {
	if l.once {
		return fmt.Errorf("inbox: %w", err)
	}
	l.inbox.present = false
	l.scan.stop()
	l.watches.forgetTree("")
	if !l.inbox.missing {
		l.inbox.missing = true
		l.log.Warn("inbox is missing; waiting for it", l.log.at(""), "err", err)
	}
	return nil
}
