package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFaultForAWhile: the same from the N-th operation on, until the fault ends. A disk that
// is full or broken is a hold, and nothing is submitted meanwhile.
func TestFaultForAWhile(t *testing.T) {
	t.Parallel()
	for _, place := range movings {
		for _, op := range []string{"file", "commit", "read", "open"} {
			if (op != "file" || !*long) && place.far {
				continue
			}
			t.Run(place.name+"/"+op, func(t *testing.T) {
				t.Parallel()
				walkFaults(t, op, func(t *testing.T, f fault) bool { return tryLasting(t, place.far, f) })
			})
		}
	}
}

func tryLasting(t *testing.T, far bool, f fault) (came bool) {
	w := newFaultWorld(t, far)
	f.While = filepath.Join(w.dir, "trouble")
	noErr(t, os.WriteFile(f.While, nil, 0o644))
	if f.mayBeOneFile() {
		w.settings["DOCUSORT_LOG_LEVEL"] = "debug" // see onlyUnsyncedInbox
	}
	if f.Op == "open" || f.Op == "read" { // of a record that is there already
		w.startAndStop()
	}
	w.dropTwo()
	c := w.startInjected(injection{Fault: f}, "run")
	later := pdf(receipt, "later")
	w.waitReport(c, "the fault shows", func(r *reportJSON) bool {
		came = strings.Contains(c.stderr.String(), injected)
		over := r.unfinished() == 0 && len(filesIn(t, w.inbox)) == 0 && len(r.Documents) == 2
		if !came {
			return over
		}
		return r.onHold("disk") || f.mayBeOneFile() && (r.hasError(f.Errno.Error()) || over && c.onlyUnsyncedInbox())
	})
	if came {
		w.drop("later.pdf", later)
		w.checkNotSubmitted(later, f)
	}
	noErr(t, os.Remove(f.While))
	w.waitInboxEmpty(c)
	w.finish(c)
	if came {
		w.checkSubmissions(2)
	} else {
		w.checkSubmissions(1)
	}
	return came || strings.Contains(c.stderr.String(), injected)
}

// onlyUnsyncedInbox: only one sync of a folder of the inbox failed, which does not keep a
// document from being filed.
func (c *child) onlyUnsyncedInbox() bool {
	text := c.stderr.String()
	return strings.Count(text, injected) == 1 && strings.Contains(text, injected+syncFolder+"\n") &&
		strings.Contains(text, logUnsyncedInbox)
}

// hasError reports whether a document has an error with this text.
func (r *reportJSON) hasError(text string) bool {
	for _, d := range r.Documents {
		if d.Error != nil && strings.Contains(*d.Error, text) {
			return true
		}
	}
	return false
}

// checkNotSubmitted: a document that came during the hold is not submitted.
func (w *world) checkNotSubmitted(content []byte, f fault) {
	w.t.Helper()
	if f.mayBeOneFile() {
		return // no hold, perhaps
	}
	for range 5 { // it would settle and go within the first of these
		w.waitHold("disk")
		time.Sleep(50 * time.Millisecond)
	}
	if n := w.api.Stats().JobsBySHA256[hashOf(content)]; n != 0 {
		w.t.Errorf("%d jobs were paid for during the hold", n)
	}
}
