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
	half := func(w *world) string { return filepath.Join(w.inbox, "half.pdf") }
	cases := []struct {
		name string
		prep func(w *world)
		want int
		says string
		mend func(w *world) // so that nothing is left the next time; nil: nothing is
	}{
		{"empty inbox", func(*world) {}, exitDone, "", nil},
		{"all filed or in review", func(w *world) {
			w.review(0.7)
			w.dropSamples()
			w.drop("doubtful.pdf", pdf(doubtful, "one"))
		}, exitDone, "", nil},
		{"one failed", func(w *world) {
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.drop("notes.txt", noDocument("one"))
		}, exitLeft, "1 could not be identified", nil},
		{"all jobs fail", func(w *world) {
			w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
			w.dropFailing("scan.pdf", pdf(invoice, "bad"))
		}, exitLeft, "1 could not be identified", nil},
		{"one half written", func(w *world) {
			w.settings["DOCUSORT_INCOMPLETE_AFTER"] = "1h"
			w.drop("scan.pdf", pdf(invoice, "one"))
			noErr(w.t, os.WriteFile(half(w), pdf(invoice, "half")[:40], 0o640))
		}, exitLeft, "half.pdf", func(w *world) {
			noErr(w.t, os.Remove(half(w)))
			w.drop("half.pdf", pdf(invoice, "half"))
		}},
		{"key revoked", func(w *world) {
			w.requestsMayRepeat = true
			w.api.SetAccount(docutraytest.AccountKeyRevoked, noTime)
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.drop("notes.txt", noDocument("one"))
		}, exitLeft, "401", func(w *world) { w.api.SetAccount(docutraytest.AccountGood, noTime) }},
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
			if c.mend != nil {
				c.mend(w)
				w.run("run", "--once")
			}
			w.waitAllDone()
			w.check()
			w.run("run", "--once").check(t, exitDone)
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
	c.waitExit(exitLeft, "another run goes on with what is left")
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
