package gate

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"docusort/pipeline/docutray"
)

// HoldKind says what a hold is about (SPEC, "States").
type HoldKind string

// The kinds of holds.
const (
	Account HoldKind = "account" // key, quota, type codes
	Disk    HoldKind = "disk"    // a full or read-only disk of ours
	Service HoldKind = "service" // the service, or the way to it
	Rate    HoldKind = "rate"    // the service named a time to wait until
)

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
	h.probeAt = now.Add(min(max(h.pause, until.Sub(now)), longestProbe)) // somebody may pay before until
	return h
}

// probeAgain follows a probe that taught nothing.
func (h *hold) probeAgain(now time.Time) {
	if h != nil {
		h.probing, h.probeAt = false, now.Add(firstProbe)
	}
}

// wait returns how long a probe waits.
func (h *hold) wait(now time.Time) time.Duration {
	if h.probing {
		return longestWait
	}
	return max(h.probeAt.Sub(now), 0)
}

// HoldDisk begins a hold of a disk of ours, which keeps submissions, or ends it where
// reason is empty. name tells one disk from another.
func (g *Gate) HoldDisk(name, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.disks[name]
	if h.Reason == reason {
		return
	}
	g.disks[name] = Hold{Kind: Disk, Reason: reason, Since: cmp.Or(h.Since, time.Now())}
	if reason == "" {
		delete(g.disks, name)
	}
	g.notify()
}

// patience is how long a hold lasts that nobody waits for, and how long the trouble of
// fewer than three jobs lasts before it is shown.
const patience = time.Minute

// Hold returns the hold to show, nil where there is none, a channel that is closed when
// that may have changed, and when to look again all the same; zero: no need.
func (g *Gate) Hold(now time.Time) (shown *Hold, changed <-chan struct{}, again time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endIdle(now)
	all := slices.AppendSeq(g.jobs.hold(now), maps.Values(g.disks))
	for _, h := range g.probed() {
		all = append(all, h.Hold)
	}
	l := &g.pace.limit
	switch {
	case len(all) > 0: // by the alphabet, what needs a person is first
		first := slices.MinFunc(all, func(a, b Hold) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Since.Compare(b.Since), cmp.Compare(a.Reason, b.Reason))
		})
		return &first, g.changed, now.Add(patience)
	case now.Before(l.until):
		return &Hold{Kind: Rate, Reason: l.reason, Since: l.since, Until: l.until}, g.changed, l.until
	case len(g.jobs) > 0:
		again = now.Add(patience)
	}
	return nil, g.changed, again
}

// endIdle ends holds that nobody has waited for, or probed, for long.
func (g *Gate) endIdle(now time.Time) {
	waiting := len(g.lines[Poll]) + len(g.lines[Submission])
	for _, h := range g.probed() {
		switch {
		case waiting > 0 || h.probing || now.Sub(g.idle) < patience || now.Sub(h.began) < patience:
		case h == g.closed:
			g.closed = nil
		default:
			g.submissions.end()
		}
	}
}

// probed returns the holds whose end probes find.
func (g *Gate) probed() (all []*hold) {
	for _, h := range []*hold{g.closed, g.submissions.hold} {
		if h != nil {
			all = append(all, h)
		}
	}
	return all
}
