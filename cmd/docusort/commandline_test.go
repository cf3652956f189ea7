package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docusort/cmd/docusort/internal/settings"
)

// TestCommandLine: a wrong command line is explained in a few lines, and ends with 2.
func TestCommandLine(t *testing.T) {
	cases := []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"version"}, exitDone, "docusort " + version + "\ncommit ", ""},
		{[]string{"version"}, exitDone, "\nSQLite 3.", ""},
		{[]string{"--help"}, exitDone, "docusort watches an inbox", ""},
		{[]string{"help", "run"}, exitDone, "--once", ""},
		{[]string{}, exitDone, "Usage:", ""},
		{[]string{"completion", "bash"}, exitDone, "bash completion", ""},
		{[]string{"--version"}, exitDone, "\nSQLite 3.", ""},
		{[]string{"frobnicate"}, exitUsage, "", "frobnicate"},
		{[]string{"help", "frobnicate"}, exitUsage, "", "frobnicate"},
		{[]string{"help", "run", "twice"}, exitUsage, "", "run twice"},
		{[]string{"help", "completion", "bash"}, exitDone, "completion bash", ""},
		{[]string{"completion"}, exitDone, "Available Commands:\n  bash", ""},
		{[]string{"completion", "frobnicate"}, exitUsage, "", "frobnicate"},
		{[]string{"completion", "bash", "twice"}, exitUsage, "", "twice"},
		{[]string{"reprot"}, exitUsage, "", "did you mean report?"},
		{[]string{"--instance", "a/b", "report"}, exitUsage, "", "--instance"},
		{[]string{"--instance", "", "report"}, exitUsage, "", "--instance"},
		{[]string{"report", "--config="}, exitUsage, "", "--config"},
		{[]string{"--instance", "a", "--config", "b", "report"}, exitUsage, "", "exclude each other"},
		{[]string{"--instance", "a", "retry"}, exitUsage, "", "docusort --instance a report --documents"},
		{[]string{"--instance", "a", "retry", "--help"}, exitDone, "  docusort --instance a retry 17 42", ""},
		{[]string{"report", "--instance", "no-such"}, exitSettings, "", "/etc/docusort/no-such.env"},
		{[]string{"__complete", "--inst"}, exitDone, "--instance\tthe settings", "Completion ended"},
		{[]string{"run", "--frobnicate"}, exitUsage, "", "--frobnicate"},
		{[]string{"run", "twice"}, exitUsage, "", "twice"},
		{[]string{"--config"}, exitUsage, "", "--config"},
		{[]string{"report", "--since", "yesterday"}, exitUsage, "", "yesterday"},
		{[]string{"report", "--state", "lost"}, exitUsage, "", "lost"},
		{[]string{"report", "--format", "xml"}, exitUsage, "", "xml"},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			got := runWith(nil, c.args...)
			if got.code != c.code || !strings.Contains(got.stdout, c.stdout) || !strings.Contains(got.stderr, c.stderr) ||
				(c.stdout == "") != (got.stdout == "") || (c.stderr == "") != (got.stderr == "") {
				t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
			}
			if strings.Count(got.stderr, "\n") > 3 {
				t.Errorf("more than three lines: %q", got.stderr)
			}
		})
	}
}

// TestErrorsInTheJournal have the priority of errors, each line of them.
func TestErrorsInTheJournal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	noErr(t, err)
	defer f.Close()
	info, err := f.Stat()
	noErr(t, err)
	st := info.Sys().(*syscall.Stat_t)
	for stream, prefix := range map[string]string{fmt.Sprintf("%d:%d", st.Dev, st.Ino): "<3>docusort: ", "1:1": "docusort: "} {
		noErr(t, f.Truncate(0))
		_, err = f.Seek(0, io.SeekStart)
		noErr(t, err)
		run(t.Context(), program{args: []string{"run"}, environ: []string{"JOURNAL_STREAM=" + stream}, stdout: io.Discard, stderr: f})
		text, err := os.ReadFile(f.Name())
		noErr(t, err)
		if lines := strings.Count(string(text), "\n"); lines < 2 || lines != strings.Count("\n"+string(text), "\n"+prefix) {
			t.Errorf("%s: %q", prefix, text)
		}
	}
}

// TestWrongSettings: every mistake is named at once, the exit code is the one that
// systemd does not restart on, and nothing is made.
func TestWrongSettings(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_WORKERS"], w.settings["DOCUSORT_INOBX"] = "many", "a slip"
	w.settings["DOCUSORT_SORTED"] = filepath.Join(w.inbox, "sorted")
	delete(w.settings, "DOCUTRAY_API_KEY")
	delete(w.settings, "DOCUSORT_DOCUMENT_TYPES")
	before := filesIn(t, w.home)
	w.run("run").check(t, exitSettings, "WORKERS", "SORTED", "INOBX", "API_KEY", "DOCUMENT_TYPES")
	if after := filesIn(t, w.home); len(after) != len(before) {
		t.Errorf("something was made: %q", after)
	}
	runWith([]string{"HOME=/nowhere"}, "run", "--once").check(t, exitSettings, "DOCUTRAY_API_KEY", "DOCUSORT_DOCUMENT_TYPES")
	runWith(nil, "--config", "/nowhere/docusort.env", "run").check(t, exitSettings, "/nowhere/docusort.env")
}

// TestWrongPaths: a file in the place of a folder, and a hook that cannot be run, are
// errors of the settings.
func TestWrongPaths(t *testing.T) {
	for _, c := range []struct{ name, path string }{
		{"DOCUSORT_INBOX", "plain"},
		{"DOCUSORT_SORTED", "plain"},
		{"DOCUSORT_HOOK", "plain"},
		{"DOCUSORT_HOOK", "tmp"}, // a folder
		{"DOCUSORT_HOOK", "missing"},
	} {
		t.Run(c.name+"/"+c.path, func(t *testing.T) {
			w := newWorld(t)
			noErr(t, os.WriteFile(filepath.Join(w.dir, "plain"), []byte("#!/bin/sh\n"), 0o644))
			path := filepath.Join(w.dir, c.path)
			w.settings[c.name] = path
			w.run("run").check(t, exitSettings, c.name+" ("+w.config()+":", path)
			w.run("run", "--once").check(t, exitSettings, c.name, path)
			w.run("doctor").check(t, exitSettings, "✗ ", path)
		})
	}
}

// TestNotWritable: a user without the right to a folder is told which one.
func TestNotWritable(t *testing.T) {
	needsRoot(t)
	for _, folder := range []string{"home", "parent of home", "sorted"} {
		t.Run(folder, func(t *testing.T) {
			w := newWorld(t)
			where := w.home
			switch folder {
			case "parent of home":
				where = filepath.Join(w.home, "deeper")
				w.settings["DOCUSORT_HOME"] = where
			case "sorted":
				noErr(t, os.Chmod(w.home, 0o777))
				where = filepath.Join(w.dir, "locked", "sorted")
				noErr(t, os.Mkdir(filepath.Dir(where), 0o755))
				w.settings["DOCUSORT_SORTED"] = where
			}
			c := w.startAsNobody("run", "--once")
			code := c.wait()
			text := c.stderr.String()
			if code == exitDone || code == exitLeft || !strings.Contains(text, where) || !strings.Contains(text, "permission denied") {
				t.Errorf("it ended with %d and said %q", code, text)
			}
		})
	}
}

// A shell offers what there is: states and formats, and the types that the
// database knows.
func TestFlagValuesAreCompleted(t *testing.T) {
	dir := fastDir(t)
	environ := []string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "docusort.db")}
	makeDatabase(t, filepath.Join(dir, "docusort.db"), "invoice", "inventory", "receipt", "in\x1b[2Jvisible")
	for args, want := range map[string]string{
		"--type in":     "inventory\ninvoice\n:4\n",
		"--state ":      "waiting\nsubmitting\npending\nidentified\nfiled\nreview\nfailed\ngone\n:4\n", // the shell chooses
		"--format ":     "table\njson\ncsv\nhtml\n:4\n",
		"--type absent": ":4\n",
	} {
		flag, begun, _ := strings.Cut(args, " ")
		got := runWith(environ, "__complete", "report", flag, begun)
		if got.code != exitDone || got.stdout != want {
			t.Errorf("%s: %d %q, want %q; %s", args, got.code, got.stdout, want, got.stderr)
		}
	}
	if got := runWith([]string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "none.db")}, "__complete", "report", "--type", ""); got.stdout != ":4\n" {
		t.Errorf("without a database: %q", got.stdout)
	}
}

// TestManualPages: each command has a page, and each setting a paragraph.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	if r := runWith(nil, "man", dir); r.code != exitDone {
		t.Fatalf("man ended with %d: %s", r.code, r.stderr)
	}
	page := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		noErr(t, err)
		return strings.ReplaceAll(string(b), `\-`, "-")
	}
	top := page("docusort.1")
	for _, cmd := range (program{}).rootCommand().Commands() {
		if cmd.Hidden || cmd.HasSubCommands() || cmd.IsAdditionalHelpTopicCommand() {
			continue
		}
		name := "docusort-" + cmd.Name()
		if !strings.Contains(top, ".BR "+name+" (1)") {
			t.Errorf("docusort.1 does not lead to %s", name)
		}
		text := page(name + ".1")
		if !strings.Contains(text, `"EXIT STATUS"`) || !strings.Contains(text, `"--config FILE"`) {
			t.Errorf("%s.1 lacks something:\n%s", name, text)
		}
		if strings.Contains(text, "run --once left") != (name == "docusort-run") {
			t.Errorf("%s.1 has the exit codes of another command", name)
		}
	}
	for _, state := range stateNames() {
		if !strings.Contains(top, `.B "`+state+`"`) {
			t.Errorf("docusort.1 does not explain %s", state)
		}
	}
	for _, v := range settings.Describe() {
		if !strings.Contains(page("docusort.env.5"), `.B "`+v.Name+`"`) {
			t.Errorf("docusort.env.5 lacks %s", v.Name)
		}
	}
}
