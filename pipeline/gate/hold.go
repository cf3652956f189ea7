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
	Inbox   HoldKind = "inbox"   // it is missing or not mounted
	Service HoldKind = "service" // the service, or the way to it
	Rate    HoldKind = "rate"    // the service named a time to wait until
)

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

// Trouble is a hold whose end probes find, or what the polls of one job have met since
// one was last answered.
type Trouble struct {
	Hold
	Pause          time.Duration // before the next probe or poll
	OthersAnswered bool          // of a job: the poll of another one was answered since

	began, probeAt time.Time // of the pause, and its end
	probing        bool      // a probe is under way
}

// prolong returns the trouble with a pause that is twice as long, though never longer than
// it has lasted; where there is none, a new one.
func (t *Trouble) prolong(e *docutray.Error, now time.Time) *Trouble {
	if t == nil {
		t = &Trouble{Hold: Hold{Since: now}}
	}
	t.Kind, t.Reason, t.Until, t.began, t.probing = Service, e.Reason(), e.ResetAt, now, false
	if e.Class == docutray.Account {
		t.Kind = Account
	}
	t.Pause = min(max(2*t.Pause, firstProbe), max(now.Sub(t.Since), firstProbe), longestProbe)
	t.probeAt = now.Add(min(max(t.Pause, e.ResetAt.Sub(now)), longestProbe)) // somebody may pay before
	return t
}

// probeAgain follows a probe that taught nothing.
func (t *Trouble) probeAgain(now time.Time) {
	if t != nil {
		t.probing, t.probeAt = false, now.Add(firstProbe)
	}
}

// wait returns how long a probe waits.
func (t *Trouble) wait(now time.Time) time.Duration {
	if t.probing {
		return longestWait
	}
	return max(t.probeAt.Sub(now), 0)
}

// HoldDisk begins a hold of a disk of ours, which keeps submissions, or ends it where
// reason is empty. name tells one disk from another.
func (g *Gate) HoldDisk(name, reason string) { g.holdOurs(Disk, name, reason) }

// HoldInbox begins the hold of the inbox, which is shown and keeps no request, as what can
// be read may go on, or ends it where reason is empty.
func (g *Gate) HoldInbox(reason string) { g.holdOurs(Inbox, "inbox", reason) }

func (g *Gate) holdOurs(kind HoldKind, name, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.ours[name]
	if h.Reason == reason {
		return
	}
	g.ours[name] = Hold{Kind: kind, Reason: reason, Since: cmp.Or(h.Since, time.Now())}
	if reason == "" {
		delete(g.ours, name)
	}
	g.notify()
}

// Hold returns the hold to show, nil where there is none, and a channel that is closed
// when that may have changed. A hold may also end by itself.
func (g *Gate) Hold(now time.Time) (shown *Hold, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endIdle(now)
	all := g.holds(now)
	if g.shown = len(all) > 0; !g.shown {
		return nil, g.changed
	}
	first := slices.MinFunc(all, func(a, b Hold) int { // by the alphabet, what needs a person is first
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Since.Compare(b.Since), cmp.Compare(a.Reason, b.Reason))
	})
	return &first, g.changed
}

// holds returns all that there are. The mutex is held.
func (g *Gate) holds(now time.Time) []Hold {
	all := slices.AppendSeq(g.jobsHeld(now), maps.Values(g.ours))
	for _, t := range g.probed() {
		all = append(all, t.Hold)
	}
	if len(all) == 0 && now.Before(g.limit.Until) {
		all = append(all, g.limit.Hold)
	}
	return all
}

// endIdle ends holds that nobody has waited for, or probed, for a minute: nobody would
// find their end.
func (g *Gate) endIdle(now time.Time) {
	if len(g.lines[Poll])+len(g.lines[Submission]) > 0 || now.Sub(g.busy) < time.Minute {
		return
	}
	g.closed = nil
	if t := g.submissions.hold; t != nil && !t.probing && !g.submissions.unnamed {
		g.submissions.hold = nil
	}
}

// probed returns the holds whose end probes find.
func (g *Gate) probed() []*Trouble {
	return slices.DeleteFunc([]*Trouble{g.closed, g.submissions.hold}, func(t *Trouble) bool { return t == nil })
}

// jobsHeld returns the trouble of three jobs at once, or of one that lasts, until a poll
// is answered. It is shown, and keeps nobody.
func (g *Gate) jobsHeld(now time.Time) (all []Hold) {
	for _, t := range g.jobs {
		if !t.OthersAnswered {
			all = append(all, Hold{Kind: t.Kind, Since: t.Since, Reason: "jobs cannot be polled: " + t.Reason})
		}
	}
	if len(all) < inARow && !slices.ContainsFunc(all, func(h Hold) bool { return now.Sub(h.Since) >= time.Minute }) {
		return nil
	}
	return all
}

// Trouble returns the trouble of a document's job; the zero value: there is none.
func (g *Gate) Trouble(doc int64) Trouble {
	g.mu.Lock()
	defer g.mu.Unlock()
	return *cmp.Or(g.jobs[doc], &Trouble{})
}

// Forget drops what is known of a document's job, because it ended.
func (g *Gate) Forget(doc int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.jobs, doc)
}
