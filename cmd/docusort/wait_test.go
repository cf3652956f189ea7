package main

import (
	"fmt"
	"strings"
)

// waitFor waits until is returns true for the report.
func (w *world) waitFor(what string, is func(r *reportJSON) bool) (r reportJSON) {
	w.t.Helper()
	poll(w.t, what, func() bool {
		var ok bool
		r, ok = w.report()
		return ok && is(&r)
	})
	return r
}

// waitState waits until n documents are in a state.
func (w *world) waitState(state string, n int) reportJSON {
	w.t.Helper()
	return w.waitFor(fmt.Sprint(n, " ", state), func(r *reportJSON) bool { return r.Totals[state] == n })
}

// waitHold waits for a hold.
func (w *world) waitHold(kind string) reportJSON {
	w.t.Helper()
	return w.waitFor("hold: "+kind, func(r *reportJSON) bool { return r.onHold(kind) })
}

// waitReport is waitFor while a process must not end.
func (w *world) waitReport(c *child, what string, is func(r *reportJSON) bool) {
	w.t.Helper()
	poll(w.t, what, func() bool {
		r, ok := w.report()
		if ok && is(&r) {
			return true
		}
		c.running()
		return false
	})
}

// waitRunning waits until a daemon is at work.
func (w *world) waitRunning(c *child) {
	w.t.Helper()
	poll(w.t, "the daemon runs", func() bool {
		c.running()
		r, ok := w.report()
		return ok && r.Daemon.Running && r.Daemon.PID != nil && *r.Daemon.PID == c.cmd.Process.Pid
	})
}

// startDaemon starts a daemon, and waits until it is at work.
func (w *world) startDaemon() *child {
	w.t.Helper()
	c := w.start("run")
	w.waitRunning(c)
	return c
}

// startIf is startDaemon where a daemon is to run; else it returns nil.
func (w *world) startIf(runs bool) *child {
	w.t.Helper()
	if !runs {
		return nil
	}
	return w.startDaemon()
}

// waitAllDone waits until nothing is left to do.
func (w *world) waitAllDone() reportJSON {
	w.t.Helper()
	return w.waitFor("everything is finished", func(r *reportJSON) bool {
		return r.unfinished() == 0 && len(filesIn(w.t, w.inbox)) == 0
	})
}

// waitInboxEmpty costs less than to wait for a report.
func (w *world) waitInboxEmpty(c *child) {
	w.t.Helper()
	poll(w.t, "the inbox is empty", func() bool {
		empty := len(filesIn(w.t, w.inbox)) == 0
		if !empty {
			c.running()
		}
		return empty
	})
}

// runToEnd lets a daemon do all that there is to do, stops it and checks.
func (w *world) runToEnd() reportJSON {
	w.t.Helper()
	return w.finish(w.startDaemon())
}

// finish waits until a daemon has nothing left to do, stops it and checks.
func (w *world) finish(c *child) reportJSON {
	w.t.Helper()
	w.waitAllDone()
	w.stop(c)
	w.attributesRefused = strings.Contains(c.stderr.String(), "does not let attributes of documents be set")
	return w.check()
}

// startAndStop makes a database.
func (w *world) startAndStop() {
	w.t.Helper()
	w.stop(w.startDaemon())
}
