package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMissingInbox is a hold that everybody sees, with what to do about it, and that ends by
// itself. At a start in good health it is not shown for an instant.
func TestMissingInbox(t *testing.T) {
	w := newWorld(t)
	w.drop("a.pdf", pdf(invoice, "a"))
	d := w.start("run")
	w.waitState("filed", 1)
	noErr(t, os.Rename(w.inbox, w.inbox+".away"))
	begun := time.Now()
	r := w.waitHold("inbox")
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("noticed after %v", took)
	}
	checkContains(t, r.Daemon.Hold.Reason, "the inbox is missing", w.inbox)
	w.checkHoldShown("inbox")
	w.run("report").check(t, exitDone, "mount it", "DOCUSORT_INBOX")
	noErr(t, os.Rename(w.inbox+".away", w.inbox))
	w.waitFor("it ends", func(r *reportJSON) bool { return r.Daemon.Hold == nil })
	w.drop("b.pdf", pdf(invoice, "b"))
	w.finish(d)
	if n := strings.Count(d.stderr.String(), logHold); n != 1 {
		t.Errorf("%d holds were logged", n)
	}
}

// TestInboxThatAppearsLaterIsLocked: a daemon that began without it does not share it.
func TestInboxThatAppearsLaterIsLocked(t *testing.T) {
	w := newWorld(t)
	w.drop("a.pdf", pdf(invoice, "a"))
	w.run("run", "--once").check(t, exitDone) // it is known from now on, and not made again
	noErr(t, os.Rename(w.inbox, w.inbox+".away"))
	d := w.start("run")
	w.waitHold("inbox")
	noErr(t, os.Rename(w.inbox+".away", w.inbox))
	w.waitFor("it ends", func(r *reportJSON) bool { return r.Daemon.Hold == nil })
	home := w.home
	w.settings["DOCUSORT_HOME"], w.settings["DOCUSORT_INBOX"] = filepath.Join(w.dir, "second"), w.inbox
	w.run("run").check(t, exitFailed, "already running", "an inbox of its own")
	w.settings["DOCUSORT_HOME"] = home
	w.stop(d)
}
