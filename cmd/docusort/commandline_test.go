package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
)

// TestCommandLine: what makes no sense is said in a line or two, and ends with 2.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	cases := []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"version"}, exitDone, "docusort ", ""},
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
				t.Errorf("too many words: %q", got.stderr)
			}
		})
	}
}

// TestWrongSettings: every mistake is named, all at once, and systemd is told not
// to try again.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, docutraytest.Options{})
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
	got := w.run("run")
	if got.code != exitSettings || got.stdout != "" {
		t.Errorf("it ended with %d and wrote %q", got.code, got.stdout)
	}
	for _, name := range []string{"WORKERS", "SETTLE", "WATCH", "MIN_CONFIDENCE", "METADATA", "SORTED", "INOBX", "POLL_MIN",
		"BASE_URL", "API_KEY", "DOCUMENT_TYPES"} {
		if !strings.Contains(got.stderr, name) {
			t.Errorf("%s is not named in:\n%s", name, got.stderr)
		}
	}
	if after := filesIn(t, w.home); len(after) != len(before) {
		t.Errorf("something was made: %q", after)
	}
}

// TestFirstContact: who starts it with nothing at all learns what it needs.
func TestFirstContact(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run"}, {"run", "--once"}} {
		got := runWith([]string{"HOME=/nowhere"}, args...)
		if got.code != exitSettings || !strings.Contains(got.stderr, "DOCUTRAY_API_KEY") ||
			!strings.Contains(got.stderr, "DOCUSORT_DOCUMENT_TYPES") {
			t.Errorf("%v ended with %d and said %q", args, got.code, got.stderr)
		}
	}
	if got := runWith(nil, "--config", "/nowhere/docusort.env", "run"); got.code != exitSettings || !strings.Contains(got.stderr, "/nowhere/docusort.env") {
		t.Errorf("without its file it ended with %d and said %q", got.code, got.stderr)
	}
}

// TestNotWritable: a service's user without the right to its folders is told
// which, and which user it is.
func TestNotWritable(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for _, folder := range []string{"home", "parent of home", "sorted"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			noErr(t, os.Chmod(w.dir, 0o755))
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
			c := w.child("run", "--once")
			c.asNobody()
			c.begin()
			code := c.wait()
			text := c.stderr.String()
			if code == exitDone || code == exitLeft || !strings.Contains(text, where) || !strings.Contains(text, "permission denied") {
				t.Errorf("it ended with %d and said %q", code, text)
			}
		})
	}
}
