package gate

import (
	"cmp"
	"slices"
	"time"

	"docusort/pipeline/docutray"
)

// HoldKind says what a hold is about (SPEC, "States").
type HoldKind string

// The kinds of holds. What needs a person is shown first.
const (
	Account HoldKind = "account" // key, quota, type codes
	Disk    HoldKind = "disk"    // a full or read-only disk of ours
	Service HoldKind = "service" // the service, or the way to it
	Rate    HoldKind = "rate"    // the service named a time to wait until
)

var urgency = []HoldKind{Account, Disk, Service, Rate}

func kindOf(e *docutray.Error) HoldKind {
	if e.Class == docutray.Account {
		return Account
	}
	return Service
}

// Hold is trouble that is no document's own and keeps all or part of the work.
type Hold struct {
	Kind   HoldKind
	Reason string
	Since  time.Time
	Until  time.Time // zero: not known
}

// Bounds of the pause between two probes (SPEC, "States").
const (
	firstProbe   = time.Second
	longestProbe = 5 * time.Minute
)

// hold is a Hold whose end probes find.
type hold struct {
	Hold
	began   time.Time // of the present pause
	pause   time.Duration
	probeAt time.Time
	probing bool // one is under way
}

// prolong returns the hold with a pause that is twice as long, though never longer than
// the trouble has lasted; where there is none, a new one.
func (h *hold) prolong(kind HoldKind, reason string, until, now time.Time) *hold {
	if h == nil {
		h = &hold{Hold: Hold{Since: now}}
	}
	h.Kind, h.Reason, h.Until, h.probing, h.began = kind, reason, until, false, now
	h.pause = min(max(2*h.pause, firstProbe), max(now.Sub(h.Since), firstProbe), longestProbe)
	if h.probeAt = now.Add(h.pause); until.After(h.probeAt) {
		h.probeAt = earlier(until, now.Add(longestProbe)) // somebody may pay before that
	}
	return h
}

// probeAgain follows a probe that taught nothing.
func (h *hold) probeAgain(now time.Time) { h.probing, h.probeAt = false, now.Add(firstProbe) }

// next returns whether it is time for a probe, or else how long to wait.
func (h *hold) next(now time.Time) (probe bool, wait time.Duration) {
	if h.probing {
		return false, longestWait
	}
	wait = max(h.probeAt.Sub(now), 0)
	return wait == 0, wait
}

// idle reports whether nobody has asked for long whether the hold is over.
func (h *hold) idle(now time.Time) bool {
	return h != nil && !h.probing && now.Sub(h.began) >= idleHold
}

// HoldDisk begins a hold of a disk of ours, which keeps submissions, or ends it where
// reason is empty. name tells one disk from another.
func (g *Gate) HoldDisk(name, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.disks[name]
	switch {
	case reason == "" && h == nil, h != nil && h.Reason == reason:
		return
	case reason == "":
		delete(g.disks, name)
	case h != nil:
		h.Reason = reason
	default:
		g.disks[name] = &Hold{Kind: Disk, Reason: reason, Since: time.Now()}
	}
	g.notify()
}

// idleHold is how long a hold lasts that nobody waits for.
const idleHold = time.Minute

// Hold returns the hold to show, nil where there is none, a channel that is closed when
// that may have changed, and when to look again all the same; zero: no need.
func (g *Gate) Hold(now time.Time) (shown *Hold, changed <-chan struct{}, again time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.access.waiting == 0 && now.Sub(g.access.idle) >= idleHold {
		if g.closed.idle(now) {
			g.closed = nil
		}
		if g.submissions.hold.idle(now) {
			g.submissions.end()
		}
	}
	if all := g.holds(now); len(all) > 0 {
		first := slices.MinFunc(all, func(a, b Hold) int {
			return cmp.Or(slices.Index(urgency, a.Kind)-slices.Index(urgency, b.Kind), a.Since.Compare(b.Since), cmp.Compare(a.Reason, b.Reason))
		})
		shown, again = &first, now.Add(idleHold)
		if first.Kind == Rate {
			again = first.Until
		}
	} else if len(g.jobs) > 0 {
		again = now.Add(shownAfter)
	}
	return shown, g.changed, again
}

func (g *Gate) holds(now time.Time) (all []Hold) {
	for _, h := range []*hold{g.closed, g.submissions.hold} {
		if h != nil {
			all = append(all, h.Hold)
		}
	}
	for _, h := range g.disks {
		all = append(all, *h)
	}
	if h := g.jobs.hold(now); h != nil {
		all = append(all, *h)
	}
	if l := &g.pace.limit; now.Before(l.until) {
		all = append(all, Hold{Kind: Rate, Reason: l.reason, Since: l.since, Until: l.until})
	}
	return all
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
