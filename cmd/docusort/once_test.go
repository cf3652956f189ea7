package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

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
			bad := pdf(invoice, "bad")
			w.failingJobs.Store(hashOf(bad), true)
			w.mustFail[hashOf(bad)] = true
			w.drop("scan.pdf", bad)
		}, exitLeft, "1 could not be identified"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{Latency: 50 * time.Millisecond})
			c.prep(w)
			got := w.run("run", "--once")
			if got.code != c.want || !strings.Contains(got.stderr, c.says) {
				t.Errorf("it ended with %d and said %q", got.code, got.stderr)
			}
			if got.stdout != "" || strings.ContainsAny(got.stderr, "\r\x1b") {
				t.Errorf("no terminal is written to, and yet: %q %q", got.stdout, got.stderr)
			}
			w.waitAllDone()
			w.check()
			if again := w.run("run", "--once"); again.code != exitDone {
				t.Errorf("again, with an empty inbox, it ended with %d: %s", again.code, again.stderr)
			}
		})
	}
}

// TestOnceLeaves: half-written files count as left, and so does what an account
// hold keeps, at once.
func TestOnceLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, docutraytest.Options{})
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
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			w.requestsMayRepeat = true
			w.api.SetAccount(state, noTime)
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.drop("notes.txt", noDocument("one"))
			begun := time.Now()
			got := w.run("run", "--once")
			if got.code != exitLeft || !strings.Contains(got.stderr, string(state)[:3]) {
				t.Errorf("it ended with %d and said %q", got.code, got.stderr)
			}
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

// TestOnceStopped: a stop is no failure of a document, and what is under way
// goes on with the next run.
func TestOnceStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, docutraytest.Options{})
	w.jobsStay.Store(true)
	w.drop("scan.pdf", pdf(invoice, "one"))
	c := w.start("run", "--once")
	w.waitState("pending", 1)
	c.signal(syscall.SIGTERM)
	if code := c.wait(); code != exitLeft || !strings.Contains(c.stderr.String(), "1 were under way") {
		t.Errorf("a stop with documents left ended with %d", code)
	}
	w.jobsStay.Store(false)
	c = w.start("run", "--once")
	c.waitExit(exitDone)
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
	var unlock int32
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, ours.Fd(), unix.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlock)))
	if errno != 0 {
		t.Skipf("no terminals here: %v", errno)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	noErr(t, err)
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// TestOnceOnTerminal: who sits at a terminal sees how far it is; with NO_COLOR
// too, and then without colours.
func TestOnceOnTerminal(t *testing.T) {
	t.Parallel()
	for _, environ := range []string{"COLOR=yes", "NO_COLOR=1"} {
		w := newWorld(t, docutraytest.Options{Latency: 300 * time.Millisecond})
		w.settings["DOCUSORT_LOG_LEVEL"] = "info"
		w.drop("scan.pdf", pdf(invoice, "one"))
		ours, theirs := terminal(t)
		c := w.child("run", "--once")
		c.cmd.Env = append(c.cmd.Env, environ)
		c.cmd.Stderr = theirs
		shown := make(chan string)
		go func() {
			var b output
			buf := make([]byte, 4096)
			for {
				n, err := ours.Read(buf)
				_, _ = b.Write(buf[:n])
				if err != nil { // EIO: nobody has the other end open
					shown <- b.String()
					return
				}
			}
		}()
		c.begin()
		noErr(t, theirs.Close())
		c.waitExit(exitDone)
		text := <-shown
		if !strings.Contains(text, "\r") || !strings.Contains(text, "1 pending") || !strings.Contains(text, "document filed") {
			t.Errorf("a terminal shows %q", text)
		}
		if colored := strings.Contains(text, "\x1b[3") || strings.Contains(text, "\x1b[9"); colored == (environ == "NO_COLOR=1") {
			t.Errorf("with %s a terminal shows %q", environ, text)
		}
		if c.stdout.String() != "" {
			t.Errorf("stdout: %q", c.stdout.String())
		}
		w.check()
	}
}

// TestNotAFolder: a file where a folder belongs is told at once, and waited for by
// nobody.
func TestNotAFolder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"INBOX", "SORTED"} {
		w := newWorld(t, docutraytest.Options{})
		file := filepath.Join(w.home, "a file")
		noErr(t, os.WriteFile(file, []byte("a file"), 0o644))
		w.settings["DOCUSORT_"+name] = file
		for _, args := range [][]string{{"run"}, {"run", "--once"}} {
			got := w.run(args...)
			if got.code != exitSettings || !strings.Contains(got.stderr, file) || !strings.Contains(got.stderr, "DOCUSORT_"+name) {
				t.Errorf("%v ended with %d and said %q", args, got.code, got.stderr)
			}
		}
	}
}
