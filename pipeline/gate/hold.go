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
	if e.Class == docutray.Account || e.Class == docutray.Document {
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
func (h *hold) prolong(e *docutray.Error, now time.Time) *hold {
	if h == nil {
		h = &hold{Hold: Hold{Since: now}}
	}
	h.Kind, h.Reason, h.Until, h.probing, h.began = kindOf(e), e.Reason(), e.ResetAt, false, now
	h.pause = min(max(2*h.pause, firstProbe), max(now.Sub(h.Since), firstProbe), longestProbe)
	h.probeAt = now.Add(min(max(h.pause, e.ResetAt.Sub(now)), longestProbe)) // somebody may pay before
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

// Hold returns the hold to show, nil where there is none, and a channel that is closed
// when that may have changed. A hold may also end by itself.
func (g *Gate) Hold(now time.Time) (shown *Hold, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endIdle(now)
	all := slices.AppendSeq(g.jobs.holds(now), maps.Values(g.disks))
	for _, h := range g.probed() {
		all = append(all, h.Hold)
	}
	if l := &g.pace.limit; len(all) == 0 && now.Before(l.until) {
		all = append(all, Hold{Kind: Rate, Reason: l.reason, Since: l.since, Until: l.until})
	}
	if len(all) == 0 {
		return nil, g.changed
	}
	first := slices.MinFunc(all, func(a, b Hold) int { // by the alphabet, what needs a person is first
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Since.Compare(b.Since), cmp.Compare(a.Reason, b.Reason))
	})
	return &first, g.changed
}

// endIdle ends holds that nobody has waited for, or probed, for a minute: nobody would
// find their end.
func (g *Gate) endIdle(now time.Time) {
	if len(g.lines[Poll])+len(g.lines[Submission]) > 0 || now.Sub(g.busy) < time.Minute {
		return
	}
	g.closed = nil
	if h := g.submissions.hold; h != nil && !h.probing {
		g.submissions.hold = nil
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
