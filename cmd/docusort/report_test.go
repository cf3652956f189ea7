package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"docusort/testdata"

	"github.com/google/go-cmp/cmp"
)

// TestReportAtAnyTime: before there is anything, while the daemon runs, after it stopped
// and after it was killed.
func TestReportAtAnyTime(t *testing.T) {
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
	w.checkTable("running", fmt.Sprint(c.cmd.Process.Pid), "1 pending", "unsupported format")
	w.stop(c)
	w.checkTable("not running", "1 pending")
	c = w.startDaemon()
	w.kill(c)
	w.checkTable("not running", "1 pending")
	w.jobsStay.Store(false)
	w.runToEnd()
	w.checkTable("invoice", "1 filed")
}

// checkTable checks that the report as a table has these parts.
func (w *world) checkTable(parts ...string) {
	w.t.Helper()
	got := w.run("report")
	if got.code != exitDone || strings.Contains(got.stdout, "\x1b") {
		w.t.Errorf("report ended with %d: %s", got.code, got.stderr)
	}
	checkContains(w.t, strings.Join(strings.Fields(got.stdout), " "), parts...)
}

// TestReportFilters tests --since, --state, --type and --exit-code.
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
		slices.Sort(sources)
		if diff := cmp.Diff(c.sources, sources); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.args, diff)
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

// TestDemo: whatever is configured, the demo shows the main job, files every sample under
// its type, and leaves what it made in one folder.
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
	config := filepath.Join(homes[0], "docusort.env")
	checkContains(t, c.stdout.String(), " s ago), pid ")
	checkContains(t, c.stdout.String(), " --config "+config+" report --documents\n", "  ls -R "+homes[0]+"\n", " demo --keep\n")
	runWith(nil, "--config", config, "report", "--documents").check(t, exitDone, "27 filed", "عقد.pdf")
	types := map[string]string{}
	w.settings = map[string]string{"DOCUSORT_HOME": homes[0]}
	r, _ := w.report()
	for _, d := range r.Documents {
		types[d.Source] = filepath.Base(filepath.Dir(*d.Path))
		sample, err := fs.ReadFile(testdata.Inbox(), d.Source)
		noErr(t, err)
		if filed, err := os.ReadFile(*d.Path); err != nil || !bytes.Equal(filed, sample) {
			t.Errorf("%q is not what was dropped (%v)", *d.Path, err)
		}
	}
	if diff := cmp.Diff(testdata.Types(), types); diff != "" {
		t.Errorf("types (-samples +demo):\n%s", diff)
	}
	if strings.ContainsAny(c.stdout.String()+c.stderr.String(), "\r\x1b") {
		t.Errorf("no terminal is written to, and yet: %q", c.stderr.String())
	}
	noErr(t, os.RemoveAll(homes[0])) // it was not written elsewhere
	w.checkNothingElse()
	w.checkSecret()
}

// TestDemoKept: with --keep the daemon files what is dropped until it is stopped.
func TestDemoKept(t *testing.T) {
	w := newWorld(t)
	c := w.child("demo", "--keep")
	c.cmd.Args = []string{"docusort", "demo", "--keep"}
	c.begin()
	c.waitOutput("The daemon keeps running")
	homes, _ := filepath.Glob(filepath.Join(w.dir, "tmp", "*"))
	w.settings = map[string]string{"DOCUSORT_HOME": homes[0]}
	noErr(t, os.WriteFile(filepath.Join(homes[0], "inbox", "mine.pdf"), pdf(contract, "mine"), 0o640))
	w.waitState("filed", len(testdata.Types())+1)
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/\n`).FindString(c.stdout.String())
	if _, page := get(t, strings.TrimSpace(url)); !strings.Contains(page, "mine.pdf") {
		t.Errorf("the page at %q does not show it", url)
	}
	c.signal(os.Interrupt)
	c.waitExit(exitDone)
}

func TestReportFormats(t *testing.T) {
	dir := fastDir(t)
	environ := []string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "docusort.db")}
	makeDatabase(t, filepath.Join(dir, "docusort.db"))
	for format, want := range map[string]string{
		"table": "is not running", "json": `{"version":1`, "csv": "id,source,path,state", "html": "<!DOCTYPE html>",
	} {
		runWith(environ, "report", "--format", format).check(t, exitDone, want)
	}
}

// reportDocument is a document in the report, as a program outside reads it.
type reportDocument struct {
	ID                        int64
	Source, State             string
	Path, Type, SHA256, Error *string
	JobID                     *string `json:"job_id"`
	DecidedBy                 *string `json:"decided_by"`
	Confidence                *float64
	Size                      int64
	Attempts, Polls           int
}

func (d *reportDocument) hash() string {
	if d.SHA256 == nil {
		return ""
	}
	return *d.SHA256
}

// reportJSON is the report as a program outside reads it.
type reportJSON struct {
	Version int
	Daemon  struct {
		Running bool
		PID     *int
		Hold    *struct {
			Kind, Reason string
			Until        *string
		}
	}
	Totals map[string]int
	Types  []struct {
		Type          string
		Filed, Review int
	}
	Requests struct{ Submissions, Polls, Reused, Resubmissions int }
	Failures []struct {
		Reason string
		Count  int
	}
	NotTaken  []struct{ Path, Reason string } `json:"not_taken"`
	Documents []reportDocument
}

func (r *reportJSON) unfinished() int {
	return r.Totals["waiting"] + r.Totals["submitting"] + r.Totals["pending"] + r.Totals["identified"]
}

func (r *reportJSON) onHold(kind string) bool {
	return r.Daemon.Hold != nil && r.Daemon.Hold.Kind == kind
}

// report reads the report; ok is false while there is no database yet.
func (w *world) report() (r reportJSON, ok bool) {
	w.t.Helper()
	got := w.run("report", "--format", "json", "--documents")
	if got.code == exitFailed && strings.Contains(got.stderr, "no database yet") {
		return r, false
	}
	got.check(w.t, exitDone)
	noErr(w.t, json.Unmarshal([]byte(got.stdout), &r))
	return r, true
}

type totals map[string]int

// checkTotals compares the totals that are not zero.
func (r *reportJSON) checkTotals(t *testing.T, want totals) {
	t.Helper()
	got := totals{}
	for state, n := range r.Totals {
		if n != 0 {
			got[state] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}

// TestReportNames the daemon, its machine, and the commands with what they need.
func TestReportNames(t *testing.T) {
	w := newWorld(t)
	w.drop("mail.txt", []byte("no document"))
	w.run("run", "--once").check(t, exitLeft, "see 'docusort --config ")
	host, err := os.Hostname()
	noErr(t, err)
	hint := "docusort --config " + w.config() + " retry ID"
	w.run("report").check(t, exitDone, "docusort on "+host+" is not running", hint,
		"docusort --config "+w.config()+" report --documents --state failed")
	w.run("report", "--format", "html").check(t, exitDone, "<h1>docusort on "+host+"</h1>", hint)
}

// TestReportOfAFailedService: a service that does not start is no daemon that was stopped.
func TestReportOfAFailedService(t *testing.T) {
	w := newWorld(t)
	w.run("run", "--once").check(t, exitDone)
	bin := filepath.Join(w.dir, "bin")
	noErr(t, os.Mkdir(bin, 0o755))
	noErr(t, os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\n[ \"$*\" = 'show -P Result docusort.service' ] && echo exit-code\n"), 0o755))
	c := w.child()
	c.cmd.Args = []string{c.cmd.Args[0], "report", "--exit-code"}
	c.cmd.Env = append(c.cmd.Env, "PATH="+bin, "DOCUSORT_HOME="+w.home)
	c.begin()
	if code := c.wait(); code != exitFailed {
		t.Errorf("report --exit-code of a failed service ended with %d", code)
	}
	checkContains(t, c.stderr.String()+c.stdout.String(), "journalctl -p err -u docusort", "it stopped at")
	w.run("report", "--exit-code").check(t, exitDone)
}

// TestNotTakenIsReported: a file that waits because it looks cut short is listed, and not any
// more once the daemon has ended.
func TestNotTakenIsReported(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_INCOMPLETE_AFTER"] = "1h"
	noErr(t, os.WriteFile(filepath.Join(w.inbox, "half.pdf"), []byte("%PDF-1.4\n"), 0o644))
	d := w.start("run")
	r := w.waitFor("it is listed", func(r *reportJSON) bool { return len(r.NotTaken) == 1 })
	if f := r.NotTaken[0]; f.Path != "half.pdf" || f.Reason != "cut short" {
		t.Errorf("listed as %+v", f)
	}
	w.run("report", "--documents").check(t, exitDone, "Not taken yet", "cut short  half.pdf")
	w.stop(d)
	if r, _ := w.report(); len(r.NotTaken) > 0 {
		t.Errorf("after a stop: %+v", r.NotTaken)
	}
}
