package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFaultForAWhile: the same from the N-th operation on, until somebody mends
// it. A disk that is full or broken is a hold, and nothing that comes meanwhile
// is submitted.
func TestFaultForAWhile(t *testing.T) {
	t.Parallel()
	for _, place := range places {
		for _, op := range []string{"file", "commit", "read", "open"} {
			if (op != "file" || !*long) && place.far {
				continue
			}
			t.Run(place.name+"/"+op, func(t *testing.T) {
				t.Parallel()
				walk(t, op, func(t *testing.T, f fault) bool { return lasting(t, place.far, f) })
			})
		}
	}
}

func lasting(t *testing.T, far bool, f fault) (came bool) {
	w := faultWorld(t, far)
	f.While = filepath.Join(w.dir, "trouble")
	noErr(t, os.WriteFile(f.While, nil, 0o644))
	if f.mayBeOneFile() {
		w.settings["DOCUSORT_LOG_LEVEL"] = "debug" // see passedOver
	}
	if f.Op == "open" || f.Op == "read" { // of a record that is there already
		w.stopAtOnce()
	}
	w.dropTwo()
	c := w.start(death{Fault: f}, "run")
	later := pdf(receipt, "later")
	w.awaitTrouble(c, func(r *reportJSON) bool {
		came = strings.Contains(c.stderr.String(), fired)
		over := r.unfinished() == 0 && len(filesIn(t, w.inbox)) == 0 && len(r.Documents) == 2
		if !came {
			return over
		}
		return r.holds("disk") || f.mayBeOneFile() && (r.explains(f.Errno.Error()) || over && c.passedOver())
	})
	if came {
		w.drop("later.pdf", later)
		w.untouched(later, f)
	}
	noErr(t, os.Remove(f.While))
	w.inboxEmpties(c)
	w.allDone()
	w.stop(c)
	w.check()
	if came {
		w.submitted(2)
	} else {
		w.submitted(1)
	}
	return came || strings.Contains(c.stderr.String(), fired)
}

// passedOver: nothing was refused but one sync of a folder of the inbox, which
// keeps no document from being filed whose name in sorted lasts.
func (c *child) passedOver() bool {
	text := c.stderr.String()
	return strings.Count(text, fired) == 1 && strings.Contains(text, fired+"fsync folder\n") &&
		strings.Contains(text, "folder of the inbox cannot be synced")
}

// stopAtOnce makes a record.
func (w *world) stopAtOnce() {
	w.t.Helper()
	c := w.start(death{}, "run")
	w.runs(c)
	w.stop(c)
}

// awaitTrouble waits for what the report says, where there is one.
func (w *world) awaitTrouble(c *child, is func(r *reportJSON) bool) {
	w.t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(50 * time.Millisecond) {
		r, ok := w.report()
		if ok && is(&r) {
			return
		}
		select {
		case <-c.ended:
			w.t.Fatalf("%s ended with %d", c.name, c.wait())
		default:
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s shows no trouble: %+v", c.name, r)
		}
	}
}

// explains says whether some unfinished document says why it waits.
func (r *reportJSON) explains(text string) bool {
	for _, d := range r.Documents {
		if d.Error != nil && strings.Contains(*d.Error, text) {
			return true
		}
	}
	return false
}

// untouched: a document that came during the hold is not submitted.
func (w *world) untouched(content []byte, f fault) {
	w.t.Helper()
	if f.mayBeOneFile() {
		return // no hold, perhaps
	}
	for range 5 { // it would settle and go within the first of these
		w.until("it still holds", func(r *reportJSON) bool { return r.holds("disk") })
		time.Sleep(50 * time.Millisecond)
	}
	if n := w.api.Stats().JobsBySHA256[hashOf(content)]; n != 0 {
		w.t.Errorf("%d jobs were paid for during the hold", n)
	}
}
