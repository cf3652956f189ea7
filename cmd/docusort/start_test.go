package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
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

// TestVersion names everything that a report of a fault needs.
func TestVersion(t *testing.T) {
	t.Parallel()
	got := runWith(nil, "version").stdout
	for _, part := range []string{"docusort " + version, "commit ", "go1.", "SQLite 3."} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in %q", part, got)
		}
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

// TestUnusableDatabase: a file that is not ours, or not whole, is left as it is,
// and nothing is submitted.
func TestUnusableDatabase(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string){
		"zero bytes": func(t *testing.T, file string) { noErr(t, os.WriteFile(file, nil, 0o644)) },
		"garbage": func(t *testing.T, file string) {
			noErr(t, os.WriteFile(file, []byte(strings.Repeat("no database ", 999)), 0o644))
		},
		"cut short": func(t *testing.T, file string) { noErr(t, os.Truncate(file, 8192)) },
		"newer": func(t *testing.T, file string) {
			f, err := os.OpenFile(file, os.O_RDWR, 0)
			noErr(t, err)
			defer f.Close()
			_, err = f.WriteAt([]byte{0, 0, 3, 231}, 60) // user_version, see sqlite.org/fileformat2.html
			noErr(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			file := filepath.Join(w.home, "docusort.db")
			s, err := store.Open(context.Background(), store.Config{Path: file})
			noErr(t, err)
			noErr(t, s.Close())
			noErr(t, os.Remove(file+"-wal"))
			noErr(t, os.Remove(file+"-shm"))
			damage(t, file)
			before, err := os.ReadFile(file)
			noErr(t, err)
			w.drop("scan.pdf", pdf(invoice, "one"))
			for _, args := range [][]string{{"run"}, {"run", "--once"}, {"report"}} {
				got := w.run(args...)
				if got.code != exitSettings || !strings.Contains(got.stderr, file) {
					t.Errorf("%v ended with %d and said %q", args, got.code, got.stderr)
				}
			}
			after, err := os.ReadFile(file)
			noErr(t, err)
			if string(before) != string(after) {
				t.Error("the file was changed")
			}
			if n := w.api.Stats().Requests; n != 0 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}

// TestNotWritable: a service's user without the right to its folders is told
// which, and which user it is.
func TestNotWritable(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
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
			c := w.child(death{}, "run", "--once")
			c.cmd.Path = publicCopy(t, c.cmd.Path)
			c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			c.begin()
			code := c.wait()
			text := c.stderr.String()
			if code == exitDone || code == exitLeft || !strings.Contains(text, where) || !strings.Contains(text, "permission denied") {
				t.Errorf("it ended with %d and said %q", code, text)
			}
		})
	}
}

// publicCopy makes a program that everybody may run.
func publicCopy(t *testing.T, program string) string {
	t.Helper()
	dir := fastDir(t)
	noErr(t, os.Chmod(dir, 0o755))
	from, err := os.Open(program)
	noErr(t, err)
	defer from.Close()
	// A process that is forked meanwhile has the file open for writing until it
	// becomes another program, and what is open for writing cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	to, err := os.OpenFile(filepath.Join(dir, "docusort"), os.O_CREATE|os.O_WRONLY, 0o755)
	noErr(t, err)
	_, err = io.Copy(to, from)
	noErr(t, err)
	noErr(t, to.Close())
	return to.Name()
}
