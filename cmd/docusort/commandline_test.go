package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		{[]string{"frobnicate"}, exitUsage, "", "frobnicate"},
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

// TestWrongSettings: every mistake is named at once, the exit code is the one that
// systemd does not restart on, and nothing is made.
func TestWrongSettings(t *testing.T) {
	w := newWorld(t)
	for name, value := range map[string]string{
		"DOCUSORT_WORKERS": "many", "DOCUSORT_SETTLE": "5", "DOCUSORT_WATCH": "closely",
		"DOCUSORT_MIN_CONFIDENCE": "70", "DOCUSORT_METADATA": "[]", "DOCUSORT_SORTED": filepath.Join(w.inbox, "sorted"),
		"DOCUSORT_INOBX": "a slip", "DOCUSORT_POLL_MIN": "1h", "DOCUTRAY_BASE_URL": "http://example.com",
	} {
		w.settings[name] = value
	}
	delete(w.settings, "DOCUTRAY_API_KEY")
	delete(w.settings, "DOCUSORT_DOCUMENT_TYPES")
	before := filesIn(t, w.home)
	w.run("run").check(t, exitSettings, "WORKERS", "SETTLE", "WATCH", "MIN_CONFIDENCE", "METADATA", "SORTED", "INOBX", "POLL_MIN",
		"BASE_URL", "API_KEY", "DOCUMENT_TYPES")
	if after := filesIn(t, w.home); len(after) != len(before) {
		t.Errorf("something was made: %q", after)
	}
}

// TestWithoutSettings: docusort says what it needs.
func TestWithoutSettings(t *testing.T) {
	for _, args := range [][]string{{"run"}, {"run", "--once"}} {
		runWith([]string{"HOME=/nowhere"}, args...).check(t, exitSettings, "DOCUTRAY_API_KEY", "DOCUSORT_DOCUMENT_TYPES")
	}
	runWith(nil, "--config", "/nowhere/docusort.env", "run").check(t, exitSettings, "/nowhere/docusort.env")
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
