package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// setHook makes a script of these lines the hook. $D is a folder for its output.
func (w *world) setHook(lines string) {
	w.t.Helper()
	dir := filepath.Join(w.dir, "hook output")
	noErr(w.t, os.MkdirAll(dir, 0o755))
	program := filepath.Join(w.dir, "hook")
	noErr(w.t, os.WriteFile(program+".new", []byte("#!/bin/sh\nD='"+dir+"'\n"+lines+"\n"), 0o755))
	noErr(w.t, os.Rename(program+".new", program))
	w.settings["DOCUSORT_HOOK"] = program
}

// keepAll keeps every event, in order.
const keepAll = `cat >> "$D/events"; { pwd; env; } >> "$D/environment"`

// hookEvent is an event as a hook reads it.
type hookEvent struct {
	ID       int64
	Event    string
	Document struct {
		ID           int64
		Source, Path string
		Type, Error  *string
	}
	Hold *struct{ Kind, Reason string }
}

func (w *world) events() (all []hookEvent) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, "hook output", "events"))
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var e hookEvent
		noErr(w.t, json.Unmarshal([]byte(line), &e))
		all = append(all, e)
	}
	return all
}

// waitEvents waits until the hook has had n events.
func (w *world) waitEvents(n int) []hookEvent {
	w.t.Helper()
	w.waitFor(fmt.Sprintf("%d events", n), func(*reportJSON) bool { return len(w.events()) >= n })
	return w.events()
}

func eventNames(all []hookEvent) string {
	var names []string
	for _, e := range all {
		names = append(names, e.Event+" "+e.Document.Source)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// TestHook: the hook gets the end of each document and each hold, and not the key.
func TestHook(t *testing.T) {
	w := newWorld(t)
	w.review(0.7)
	w.setHook(keepAll)
	w.requestsMayRepeat = true
	w.api.SetOutage(docutraytest.OutageUnavailable)
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.drop("doubtful.pdf", pdf(doubtful, "one"))
	w.drop("not\xff'$(x)\n.txt", noDocument("one"))
	c := w.start("run")
	w.waitHold("service")
	w.api.SetOutage(docutraytest.OutageNone)
	all := w.waitEvents(5)
	if got := eventNames(all); got != `failed not\xff'$(x)`+"\n"+`.txt, filed scan.pdf, hold , resumed , review doubtful.pdf` {
		t.Errorf("events: %q", got)
	}
	for _, e := range all {
		switch {
		case e.Event == "filed" && (*e.Document.Type != "invoice" || e.Document.Path != filepath.Join(w.sorted, "invoice/scan.pdf")),
			e.Event == "failed" && !strings.Contains(*e.Document.Error, "unsupported"),
			e.Event == "hold" && e.Hold.Kind != "service":
			t.Errorf("event %+v", e)
		}
	}
	w.stop(c)
	w.check()
	b, err := os.ReadFile(filepath.Join(w.dir, "hook output", "environment"))
	noErr(t, err)
	if text := string(b); !strings.HasPrefix(text, "/\n") || strings.Contains(text, "API_KEY") || strings.Contains(text, secretKey) ||
		strings.Contains(text, "DOCUSORT_HOME") || !strings.Contains(text, "DOCUSORT_EVENT_COMMAND=docusort --config /") || !strings.Contains(text, "DOCUSORT_EVENT_SOURCE=not\xff'$(x)\n.txt") {
		t.Errorf("its environment was %q", text)
	}
}

// TestHookAcrossRestarts: an event that a killed daemon did not deliver, or that the hook
// failed for, is delivered later, and not again after that.
func TestHookAcrossRestarts(t *testing.T) {
	w := newWorld(t)
	w.setHook(`[ -e "$D/up" ] || exit 1; ` + keepAll)
	w.dropMany(5, "%d.pdf")
	w.waitKilled(w.startInjected(injection{Step: stepFinished, N: 1}, "run"))
	c := w.startDaemon()
	w.waitAllDone()
	if n := len(w.events()); n > 0 {
		t.Fatalf("%d events were delivered to a hook that fails", n)
	}
	w.kill(c)
	noErr(t, os.WriteFile(filepath.Join(w.dir, "hook output", "up"), nil, 0o644))
	c = w.start("run")
	all := w.waitEvents(5)
	seen := map[int64]bool{}
	for _, e := range all {
		seen[e.Document.ID] = true
	}
	if len(seen) != 5 {
		t.Errorf("events of %d documents: %s", len(seen), eventNames(all))
	}
	w.stop(c)
	n := len(w.events())
	w.runToEnd()
	if len(w.events()) != n {
		t.Error("an event is delivered again")
	}
}

// TestSlowHook: a slow hook delays no document, and is killed when the daemon stops.
func TestSlowHook(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_SHUTDOWN_GRACE"] = "100ms"
	w.setHook(`echo $$ >> "$D/pids"; sleep 1000`)
	c := w.start("run")
	w.dropMany(20, "%d.pdf")
	w.waitAllDone()
	w.waitFor("it runs", func(*reportJSON) bool {
		_, err := os.Stat(filepath.Join(w.dir, "hook output", "pids"))
		return err == nil
	})
	begun := time.Now()
	w.stop(c)
	if took := time.Since(begun); took > 25*time.Second {
		t.Errorf("the stop took %s", took)
	}
	b, err := os.ReadFile(filepath.Join(w.dir, "hook output", "pids"))
	noErr(t, err)
	for _, pid := range strings.Fields(string(b)) {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("process %s was left behind", pid)
		}
	}
	w.check()
}

// TestHookOnce: run --once delivers events before it ends; without a hook none are kept.
func TestHookOnce(t *testing.T) {
	w := newWorld(t)
	w.setHook(keepAll)
	w.drop("scan.pdf", pdf(invoice, "one"))
	if got := w.run("run", "--once"); got.code != exitDone || eventNames(w.events()) != "filed scan.pdf" {
		t.Errorf("it ended with %d, with the events %q: %s", got.code, eventNames(w.events()), got.stderr)
	}
	hook := w.settings["DOCUSORT_HOOK"]
	delete(w.settings, "DOCUSORT_HOOK")
	w.drop("more.pdf", pdf(invoice, "two"))
	w.runToEnd()
	w.settings["DOCUSORT_HOOK"] = hook
	w.runToEnd()
	if got := eventNames(w.events()); got != "filed scan.pdf" {
		t.Errorf("events: %q", got)
	}
}
