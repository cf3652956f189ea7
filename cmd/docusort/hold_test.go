package main

import (
	"net"
	"net/http/httptest"
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
	{"dropped connections", "service", "",
		func(w *world) { w.api.SetOutage(docutraytest.OutageDrop) },
		func(w *world) { w.api.SetOutage(docutraytest.OutageNone) }},
	{"key rotated", "account", "Invalid API key",
		func(w *world) {
			w.api.SetKey("dt_live_the_next_one")
			w.api.SetIntercept(nil) // it knows the old key only
		},
		func(w *world) { w.writeKey("dt_live_the_next_one\n") }},
	{"key revoked for a while", "account", "Invalid API key",
		setAccount(docutraytest.AccountKeyRevoked), setAccount(docutraytest.AccountGood)},
	{"types refused", "account", "invoice, receipt, contract",
		setAccount(docutraytest.AccountNoTypes), setAccount(docutraytest.AccountGood)},
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

// TestQuotaUntil: while the quota is used up jobs are polled, and the report says until
// when.
func TestQuotaUntil(t *testing.T) {
	w := newWorld(t)
	w.requestsMayRepeat = true
	w.jobsStay.Store(true)
	d := w.start("run")
	w.drop("first.pdf", pdf(invoice, "first"))
	w.waitState("pending", 1)
	reset := time.Now().Add(5 * time.Second)
	w.api.SetAccount(docutraytest.AccountQuotaUsed, reset)
	w.drop("second.pdf", pdf(invoice, "second"))
	r := w.waitHold("account")
	if u := r.Daemon.Hold.Until; u == nil || *u != reset.UTC().Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("it holds until %v, not until %v", u, reset.UTC())
	}
	w.jobsStay.Store(false)
	w.waitFor("the first is filed", func(r *reportJSON) bool { return r.Totals["filed"] == 1 && r.onHold("account") })
	w.api.SetAccount(docutraytest.AccountGood, noTime)
	w.finish(d)
}

// TestRateLimit: a 429 pauses all requests for as long as the service says.
func TestRateLimit(t *testing.T) {
	w := newWorldWith(t, docutraytest.Options{RateLimit: 6, RateWindow: 2 * time.Second})
	w.dropMany(5, "%d.pdf")
	w.jobsStay.Store(true)
	w.api.SetIntercept(nil) // polls count too
	d := w.start("run")
	r := w.waitHold("rate")
	if r.Daemon.Hold.Until == nil {
		t.Error("the report does not say until when")
	}
	w.finish(d)
	for status, n := range w.api.Stats().ByStatus {
		if strings.HasSuffix(status, "429") && n > 12 {
			t.Errorf("%d requests were answered %s", n, status)
		}
	}
}

// TestConnectionRefused: a service that is not there yet is waited for.
func TestConnectionRefused(t *testing.T) {
	w := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	noErr(t, err)
	address := listener.Addr().String()
	noErr(t, listener.Close())
	w.settings["DOCUTRAY_BASE_URL"] = "http://" + address
	w.drop("scan.pdf", pdf(invoice, "one"))
	d := w.start("run")
	w.waitHold("service")
	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Skipf("somebody took the address: %v", err)
	}
	late := httptest.NewUnstartedServer(w.api)
	late.Listener.Close()
	late.Listener = listener
	late.Start()
	t.Cleanup(late.Close)
	w.waitAllDone()
	w.stop(d)
	w.requestsMayRepeat = true
	if r := w.check(); r.Requests.Resubmissions != 0 {
		t.Errorf("%d POSTs that never left count as made", r.Requests.Resubmissions)
	}
}
