package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

var noTime time.Time

// trouble is a reason for a hold.
type trouble struct {
	name       string
	kind       string
	reason     string // a part of what the report says
	begin, end func(w *world)
}

func setAccount(state docutraytest.AccountState) func(*world) {
	return func(w *world) { w.api.SetAccount(state, noTime) }
}

var troubles = []trouble{
	{"outage", "service", "503",
		func(w *world) { w.api.SetOutage(docutraytest.OutageUnavailable) },
		func(w *world) { w.api.SetOutage(docutraytest.OutageNone) }},
	{"key rotated", "account", "Invalid API key",
		func(w *world) {
			w.api.SetKey("dt_live_the_next_one")
			w.api.SetIntercept(nil) // it knows the old key only
		},
		func(w *world) { w.writeKey("dt_live_the_next_one\n") }},
	{"key revoked for a while", "account", "Invalid API key",
		setAccount(docutraytest.AccountKeyRevoked), setAccount(docutraytest.AccountGood)},
	{"quota used up", "account", "402",
		setAccount(docutraytest.AccountQuotaUsed), setAccount(docutraytest.AccountGood)},
}

// writeKey writes the file that DOCUTRAY_API_KEY_FILE names.
func (w *world) writeKey(key string) {
	w.t.Helper()
	delete(w.settings, "DOCUTRAY_API_KEY")
	file := filepath.Join(w.dir, "key")
	w.settings["DOCUTRAY_API_KEY_FILE"] = file
	noErr(w.t, os.WriteFile(file+".new", []byte(key), 0o600))
	noErr(w.t, os.Rename(file+".new", file))
}

// TestHolds: nothing fails or is moved, the report says why, and the hold ends by itself
// with the trouble.
func TestHolds(t *testing.T) {
	for _, c := range troubles {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.requestsMayRepeat = true
			w.writeKey(secretKey)
			c.begin(w)
			d := w.start("run")
			w.dropMany(5, "%d.pdf")
			r := w.waitFor("it holds", func(r *reportJSON) bool { return r.onHold(c.kind) && r.Totals["waiting"] == 5 })
			checkContains(t, r.Daemon.Hold.Reason, c.reason)
			w.checkHoldShown(c.kind)
			checkContains(t, w.doctor(exitSettings), "✗ work", "on hold ("+c.kind+"): ")
			if moved := filesIn(t, w.sorted); len(moved) > 0 || len(filesIn(t, w.inbox)) != 5 {
				t.Errorf("documents were moved: %q", moved)
			}
			c.end(w)
			if r := w.waitAllDone(); r.Daemon.Hold != nil {
				t.Errorf("afterwards: %+v", r.Daemon.Hold)
			}
			w.stop(d)
			r = w.check()
			r.checkTotals(t, totals{"filed": 5})
			if n := strings.Count(d.stderr.String(), logHold); n > 2 {
				t.Errorf("the trouble was logged %d times", n)
			}
		})
	}
}

// checkHoldShown: the exit code and the table of the report show the hold.
func (w *world) checkHoldShown(kind string) {
	w.t.Helper()
	if got := w.run("report", "--exit-code"); got.code != exitFailed || got.stderr != "" {
		w.t.Errorf("report --exit-code on hold ended with %d: %s", got.code, got.stderr)
	}
	if got := w.run("report"); got.code != exitDone || !strings.Contains(strings.ToLower(got.stdout), "hold") && !strings.Contains(got.stdout, kind) {
		w.t.Errorf("the table says nothing of the hold:\n%s", got.stdout)
	}
}
