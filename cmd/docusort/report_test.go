package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/testdata"
)

// TestReportThroughTheTimes: before there is anything, while the daemon runs,
// after it stopped, after it was killed.
func TestReportThroughTheTimes(t *testing.T) {
	w := newWorld(t)
	w.jobsStay.Store(true)
	w.run("report").check(t, exitFailed, "no database yet", w.home)
	if made := filesIn(t, w.home); len(made) > 0 {
		t.Errorf("looking made %q", made)
	}
	c := w.start("run")
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.drop("notes.txt", noDocument("one"))
	w.waitFor("one is pending, one failed", func(r *reportJSON) bool { return r.Totals["pending"] == 1 && r.Totals["failed"] == 1 })
	w.table(t, "running", fmt.Sprint(c.cmd.Process.Pid), "1 pending", "unsupported format")
	w.stop(c)
	w.table(t, "not running", "1 pending")
	c = w.start("run")
	w.waitRunning(c)
	w.kill(c)
	w.table(t, "not running", "1 pending")
	w.jobsStay.Store(false)
	w.runToEnd()
	w.table(t, "invoice", "1 filed")
}

// table checks that the table has these parts, each in some line.
func (w *world) table(t *testing.T, parts ...string) {
	t.Helper()
	got := w.run("report")
	if got.code != exitDone || strings.Contains(got.stdout, "\x1b") {
		t.Errorf("report ended with %d: %s", got.code, got.stderr)
	}
	text := strings.Join(strings.Fields(strings.ToLower(got.stdout)), " ")
	for _, part := range parts {
		words := strings.Fields(part)
		if !strings.Contains(text, part) && !(len(words) == 2 && strings.Contains(text, words[1]+" "+words[0])) {
			t.Errorf("no %q in:\n%s", part, got.stdout)
		}
	}
}

// TestReportFilters: --since, --state and --type leave out, --exit-code tells.
func TestReportFilters(t *testing.T) {
	w := newWorld(t)
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.drop("till.pdf", pdf(receipt, "one"))
	w.run("run", "--once").check(t, exitDone)
	cases := []struct {
		args    []string
		sources []string
	}{
		{nil, []string{"scan.pdf", "till.pdf"}},
		{[]string{"--state", "filed"}, []string{"scan.pdf", "till.pdf"}},
		{[]string{"--state", "failed"}, nil},
		{[]string{"--type", "invoice"}, []string{"scan.pdf"}},
		{[]string{"--type", "invoice", "--state", "review"}, nil},
		{[]string{"--since", "1h"}, []string{"scan.pdf", "till.pdf"}},
		{[]string{"--since", "0s"}, nil},
	}
	for _, c := range cases {
		got := w.run(append([]string{"report", "--format", "json", "--documents"}, c.args...)...)
		var r reportJSON
		noErr(t, json.Unmarshal([]byte(got.stdout), &r))
		var sources []string
		for _, d := range r.Documents {
			sources = append(sources, d.Source)
		}
		if strings.Join(sources, ",") != strings.Join(c.sources, ",") && len(sources) != len(c.sources) {
			t.Errorf("%v gives %q, not %q", c.args, sources, c.sources)
		}
	}
	w.run("report", "--exit-code").check(t, exitDone)
	w.drop("notes.txt", noDocument("one"))
	w.run("run", "--once").check(t, exitLeft, "1 could not be identified")
	if got := w.run("report", "--exit-code"); got.code != exitFailed || got.stdout == "" || got.stderr != "" {
		t.Errorf("with a failure --exit-code ended with %d and said %q", got.code, got.stderr)
	}
	w.run("report", "--exit-code", "--since", "0s").check(t, exitDone)
	w.check()
}

// TestReportOfAnotherUser: whoever may read the database may read the report,
// without key, types or settings but where it is.
func TestReportOfAnotherUser(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	noErr(t, os.Chmod(w.dir, 0o755))
	w.jobsStay.Store(true)
	daemon := w.start("run")
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitState("pending", 1)
	look := func(when string) {
		t.Helper()
		c := w.child("report", "--format", "json")
		c.cmd.Args = []string{"docusort", "report", "--format", "json"}
		c.cmd.Env = append(c.cmd.Env, "DOCUSORT_HOME="+w.home)
		c.asNobody()
		c.begin()
		if code := c.wait(); code != exitDone || !strings.Contains(c.stdout.String(), `"pending":1`) {
			t.Errorf("%s it ended with %d: %s%s", when, code, c.stdout.String(), c.stderr.String())
		}
	}
	look("while the daemon runs")
	w.kill(daemon)
	look("after it was killed")
	daemon = w.start("run")
	w.waitRunning(daemon)
	w.stop(daemon)
	look("after it stopped")
}

// TestDemo: with nothing configured, or everything configured otherwise, it
// shows the main job and leaves what it made, in one folder.
func TestDemo(t *testing.T) {
	w := newWorld(t)
	c := w.child("demo")
	c.cmd.Args = []string{"docusort", "demo"}
	c.cmd.Env = append(c.cmd.Env, "DOCUSORT_HOME="+w.home, "DOCUTRAY_API_KEY="+secretKey, "DOCUTRAY_BASE_URL="+w.server.URL,
		"DOCUSORT_WORKERS=nonsense", "DOCUSORT_SORTED="+filepath.Join(w.dir, "user"))
	c.begin()
	c.waitExit(exitDone)
	if made := filesIn(t, w.home); len(made) > 0 || w.api.Stats().Requests > 0 {
		t.Errorf("the user's own things were touched: %q", made)
	}
	homes, _ := filepath.Glob(filepath.Join(w.dir, "tmp", "*"))
	if len(homes) != 1 || !strings.Contains(c.stdout.String(), "Everything is in "+homes[0]) {
		t.Fatalf("it left %q and wrote %s", homes, c.stdout.String())
	}
	if n := len(filesIn(t, filepath.Join(homes[0], "sorted"))); n != len(testdata.Types()) {
		t.Errorf("%d documents were filed", n)
	}
	if strings.ContainsAny(c.stdout.String()+c.stderr.String(), "\r\x1b") {
		t.Errorf("no terminal is written to, and yet: %q", c.stderr.String())
	}
	noErr(t, os.RemoveAll(homes[0])) // it was not written elsewhere
	w.checkNothingElse()
	w.checkSecret()
}

// TestDemoKept: --keep goes on until it is told to stop, and what is dropped
// meanwhile is filed.
func TestDemoKept(t *testing.T) {
	w := newWorld(t)
	c := w.child("demo", "--keep")
	c.cmd.Args = []string{"docusort", "demo", "--keep"}
	c.begin()
	for end := time.Now().Add(deadline); !strings.Contains(c.stdout.String(), "The daemon keeps running"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it wrote %s", c.stdout.String())
		}
	}
	homes, _ := filepath.Glob(filepath.Join(w.dir, "tmp", "*"))
	w.settings = map[string]string{"DOCUSORT_HOME": homes[0]}
	noErr(t, os.WriteFile(filepath.Join(homes[0], "inbox", "mine.pdf"), pdf(contract, "mine"), 0o640))
	w.waitState("filed", len(testdata.Types())+1)
	c.signal(os.Interrupt)
	c.waitExit(exitDone)
}
