package main

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"time"
)

// hangAfter is how long a round of a loop may take before a folder counts as one that does
// not answer, and hangCheck how often that is looked at.
const (
	hangAfter = time.Minute
	hangCheck = 20 * time.Second
)

// holdHanging holds the work while a loop waits for a folder that does not answer: else
// all would look well.
func (d *daemon) holdHanging(ctx context.Context) error {
	for {
		inbox, sorted := "", ""
		if d.watcher.Late(d.hangAfter) != "" && inSystemCall("docusort/watcher.") {
			inbox = "the inbox does not answer: a look at it has not ended; see to its disk or file server"
		}
		if d.pipeline.Late(d.hangAfter) == "file" && inSystemCall("docusort/pipeline/filing.", "docusort/pipeline.(*filer)") {
			sorted = "a move to the sorted folder has not ended: see to the disk or file server of it and of the inbox"
		}
		d.pipeline.HoldDisk("inbox hangs", inbox)
		d.pipeline.HoldDisk("sorted hangs", sorted)
		d.hangs.Store(inbox+sorted != "")
		select {
		case <-time.After(min(hangCheck, d.hangAfter)):
		case <-ctx.Done():
			return nil
		}
	}
}

// late names a loop that is late, for the watchdog; "" where there is none. One that waits
// for a folder is not: the daemon, started anew, would wait for it as well.
func (d *daemon) late(limit time.Duration) string {
	loop := cmp.Or(d.watcher.Late(limit), d.pipeline.Late(limit))
	if d.hangs.Load() && (loop == "watcher" || loop == "file") {
		loop = ""
	}
	return cmp.Or(loop, d.store.Late(limit))
}

// inSystemCall reports whether a goroutine is in a system call that functions with one of
// these beginnings made. A call of SQLite is none: it looks the same, and is of the database.
func inSystemCall(functions ...string) bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		state, calls, _ := strings.Cut(stack, "\n")
		made := func(function string) bool { return strings.Contains(calls, function) }
		if strings.Contains(state, "[syscall") && !strings.Contains(calls, "go-sqlite3") && slices.ContainsFunc(functions, made) {
			return true
		}
	}
	return false
}
