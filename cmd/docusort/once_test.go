package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"golang.org/x/sys/unix"
)

// TestOnce: each way in which it can end.
func TestOnce(t *testing.T) {
	cases := []struct {
		name string
		prep func(w *world)
		want int
		says string
	}{
		{"empty inbox", func(*world) {}, exitDone, ""},
		{"all filed or in review", func(w *world) {
			w.review(0.7)
			w.dropSamples()
			w.drop("doubtful.pdf", pdf(doubtful, "one"))
		}, exitDone, ""},
		{"one failed", func(w *world) {
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.drop("notes.txt", noDocument("one"))
		}, exitLeft, "1 could not be identified"},
		{"all jobs fail", func(w *world) {
			w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
			w.dropFailing("scan.pdf", pdf(invoice, "bad"))
		}, exitLeft, "1 could not be identified"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorldWith(t, docutraytest.Options{Latency: 50 * time.Millisecond})
			c.prep(w)
			got := w.run("run", "--once")
			got.check(t, c.want, c.says)
			if got.stdout != "" || strings.ContainsAny(got.stderr, "\r\x1b") {
				t.Errorf("no terminal is written to, and yet: %q %q", got.stdout, got.stderr)
			}
			w.waitAllDone()
			w.check()
			w.run("run", "--once").check(t, exitDone)
		})
	}
}

// TestOnceLeaves: half-written files count as left, and so does what an account
// hold keeps, at once.
func TestOnceLeaves(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_INCOMPLETE_AFTER"] = "1h"
	w.drop("scan.pdf", pdf(invoice, "one"))
	whole := pdf(invoice, "half")
	half := whole[:len(whole)-8]
	w.drop("half.pdf", half)
	got := w.run("run", "--once")
	if got.code != exitLeft || !strings.Contains(got.stderr, "half.pdf") || len(filesIn(t, w.inbox)) != 1 {
		t.Errorf("it ended with %d and said %q", got.code, got.stderr)
	}
	w.check()
}

func TestOnceOnHold(t *testing.T) {
	for _, state := range []docutraytest.AccountState{
		docutraytest.AccountKeyRevoked, docutraytest.AccountQuotaUsed, docutraytest.AccountNoTypes,
	} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.requestsMayRepeat = true
			w.api.SetAccount(state, noTime)
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.drop("notes.txt", noDocument("one"))
			begun := time.Now()
			w.run("run", "--once").check(t, exitLeft, string(state)[:3])
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			w.api.SetAccount(docutraytest.AccountGood, noTime)
			w.run("run", "--once")
			w.waitAllDone()
			w.check()
		})
	}
}

// TestOnceStopped: a stop does not fail documents, and what is under way
// goes on with the next run.
func TestOnceStopped(t *testing.T) {
	w := newWorld(t)
	w.jobsStay.Store(true)
	w.drop("scan.pdf", pdf(invoice, "one"))
	c := w.start("run", "--once")
	w.waitState("pending", 1)
	c.signal(syscall.SIGTERM)
	c.waitExit(exitLeft, "1 were under way")
	w.jobsStay.Store(false)
	w.start("run", "--once").waitExit(exitDone)
	w.check()
}

// terminal returns both ends of a terminal.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	noErr(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	noErr(t, err)
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// TestOnceOnTerminal: a terminal shows progress, with NO_COLOR without colours.
func TestOnceOnTerminal(t *testing.T) {
	for _, environ := range []string{"COLOR=yes", "NO_COLOR=1"} {
		t.Run(environ, func(t *testing.T) {
			w := newWorldWith(t, docutraytest.Options{Latency: 300 * time.Millisecond})
			w.settings["DOCUSORT_LOG_LEVEL"] = "info"
			w.drop("scan.pdf", pdf(invoice, "one"))
			ours, theirs := terminal(t)
			c := w.child("run", "--once")
			c.cmd.Env = append(c.cmd.Env, environ)
			c.cmd.Stderr = theirs
			shown := make(chan string)
			go func() {
				var b output
				_, _ = io.Copy(&b, ours) // ends with EIO when nobody has the other end open
				shown <- b.String()
			}()
			c.begin()
			noErr(t, theirs.Close())
			c.waitExit(exitDone)
			text := <-shown
			checkContains(t, text, "\r", "1 pending", logFiled)
			if colored := strings.Contains(text, "\x1b[3") || strings.Contains(text, "\x1b[9"); colored == (environ == "NO_COLOR=1") {
				t.Errorf("with %s a terminal shows %q", environ, text)
			}
			if c.stdout.String() != "" {
				t.Errorf("stdout: %q", c.stdout.String())
			}
			w.check()
		})
	}
}

// TestNotAFolder: a file in the place of a folder is an error of the settings.
func TestNotAFolder(t *testing.T) {
	for _, name := range []string{"DOCUSORT_INBOX", "DOCUSORT_SORTED"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.settings[name] = filepath.Join(w.home, "a file")
			noErr(t, os.WriteFile(w.settings[name], []byte("a file"), 0o644))
			for _, args := range [][]string{{"run"}, {"run", "--once"}} {
				w.run(args...).check(t, exitSettings, w.settings[name], name)
			}
		})
	}
}
