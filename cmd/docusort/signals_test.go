package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// slowUploads makes every upload hang until release is called. begun gets a token for
// each.
func (w *world) slowUploads() (begun <-chan struct{}, release func()) {
	arrived, let := make(chan struct{}, 1000), make(chan struct{})
	w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			arrived <- struct{}{}
			select {
			case <-let:
			case <-r.Context().Done():
			}
		}
		return w.intercept(rw, r)
	})
	release = sync.OnceFunc(func() { close(let) })
	w.t.Cleanup(release)
	return arrived, release
}

// TestStoppedWhileItStarts: a stop at any use of the database during the start is in good
// order.
func TestStoppedWhileItStarts(t *testing.T) {
	for n := int64(1); n <= 8; n++ {
		for _, args := range [][]string{{"run"}, {"run", "--once"}} {
			t.Run(fmt.Sprintf("%s/%d", strings.Join(args, " "), n), func(t *testing.T) {
				w := newWorld(t)
				w.drop("scan.pdf", pdf(invoice, "one"))
				ctx, stop := context.WithCancel(context.Background())
				defer stop()
				var asked atomic.Int64
				stops := func(string) error {
					if asked.Add(1) == n {
						stop()
					}
					return nil
				}
				var stdout, stderr bytes.Buffer
				code := run(ctx, program{args: append([]string{"--config", w.config()}, args...), environ: w.environ(),
					stdout: &stdout, stderr: &stderr, hooks: testHooks{store: stops}})
				want := exitDone
				if len(args) > 1 {
					want = exitLeft
				}
				if code != want || want == exitDone && strings.Contains(stderr.String(), "docusort: ") {
					t.Errorf("it ended with %d, not with %d, and said %s", code, want, &stderr)
				}
				w.runToEnd()
			})
		}
	}
}

// TestReload: SIGHUP scans the inbox at once.
func TestReload(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_WATCH"] = "poll"
	w.settings["DOCUSORT_RESCAN"] = "1h"
	c := w.startDaemon()
	c.waitOutput(logStarted)
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitFor("it is filed", func(r *reportJSON) bool {
		c.signal(syscall.SIGHUP)
		return r.Totals["filed"] == 1
	})
	w.stop(c)
	w.check()
}

// TestLogThatNobodyReads: the daemon outlives the journal that it writes to.
func TestLogThatNobodyReads(t *testing.T) {
	w := newWorld(t)
	c := w.child("run")
	log, stderr, err := os.Pipe()
	noErr(t, err)
	c.cmd.Stderr = stderr
	c.begin()
	noErr(t, stderr.Close())
	_, err = log.Read(make([]byte, 1))
	noErr(t, err)
	noErr(t, log.Close())
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitState("filed", 1)
	c.signal(syscall.SIGTERM)
	c.waitExit(exitDone)
	w.check()
}

// TestOwnFolderInsideTheInbox: what is filed, or the database, seen through the inbox by a
// mount, would be taken and paid for again and again.
func TestOwnFolderInsideTheInbox(t *testing.T) {
	needsRoot(t)
	for name, folder := range map[string]func(w *world) string{
		"DOCUSORT_SORTED":   func(w *world) string { return w.sorted },
		"DOCUSORT_DATABASE": func(w *world) string { return w.home },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			inbox := filepath.Join(w.dir, "inbox")
			at := filepath.Join(inbox, "deep", "mounted")
			noErr(t, os.MkdirAll(at, 0o755))
			noErr(t, os.MkdirAll(folder(w), 0o755))
			noErr(t, syscall.Mount(folder(w), at, "", syscall.MS_BIND, ""))
			t.Cleanup(func() { noErr(t, syscall.Unmount(at, syscall.MNT_DETACH)) })
			w.settings["DOCUSORT_INBOX"], w.inbox = inbox, inbox
			w.settings["DOCUSORT_REUSE_RESULTS"] = "0"
			w.drop("scan.pdf", pdf(invoice, "scan"))
			c := w.start("run")
			w.waitState("filed", 1)
			w.drop("next.pdf", pdf(invoice, "next"))
			w.waitState("filed", 2)
			w.stop(c)
			checkContains(t, c.stderr.String(), "left alone there", name)
			w.checkSubmissions(2)
			checkContains(t, w.doctor(exitSettings), "✗ inbox", name, at)
		})
	}
}

// TestSecondDaemon: a second daemon on one database, or with an inbox that is
// another's, or lies above or beneath it, ends before it pays for anything.
func TestSecondDaemon(t *testing.T) {
	w := newWorld(t)
	noErr(t, os.Mkdir(filepath.Join(w.inbox, "below"), 0o755))
	link := filepath.Join(w.dir, "link")
	noErr(t, os.Symlink(w.inbox, link))
	first := w.startDaemon()
	for _, args := range [][]string{{"run"}, {"run", "--once"}} {
		w.run(args...).check(t, exitFailed, "already running")
	}
	home, inbox := w.home, w.inbox
	second := filepath.Join(w.dir, "second")
	for _, of := range []string{inbox, link, filepath.Join(inbox, "below"), filepath.Dir(inbox)} {
		w.settings["DOCUSORT_HOME"], w.settings["DOCUSORT_INBOX"] = second, of
		w.settings["DOCUSORT_SORTED"] = filepath.Join(w.dir, "second sorted")
		w.run("run").check(t, exitFailed, "already running", "an inbox of its own")
	}
	w.settings["DOCUSORT_HOME"] = home
	delete(w.settings, "DOCUSORT_INBOX")
	delete(w.settings, "DOCUSORT_SORTED")
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitState("filed", 1) // by the first
	w.kill(first)           // which leaves the file
	w.runToEnd()
}

// TestSecondDaemonUnderAUnit: ReadWritePaths= mounts an inbox over itself, in a folder that
// is read-only for that service alone, so that the two lock it at different places.
func TestSecondDaemonUnderAUnit(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	first := w.startDaemon()
	unit := filepath.Join(w.dir, "unit")
	noErr(t, os.Mkdir(unit, 0o755))
	mount := func(from, at string, flags uintptr) {
		noErr(t, syscall.Mount(from, at, "", syscall.MS_BIND|flags, ""))
	}
	mount(w.home, unit, 0)
	t.Cleanup(func() { noErr(t, syscall.Unmount(unit, syscall.MNT_DETACH)) })
	mount("", unit, syscall.MS_REMOUNT|syscall.MS_RDONLY)
	mount(w.inbox, filepath.Join(unit, "inbox"), 0)
	w.settings["DOCUSORT_HOME"] = filepath.Join(w.dir, "second")
	w.settings["DOCUSORT_INBOX"] = filepath.Join(unit, "inbox")
	w.run("run", "--once").check(t, exitFailed, "already running", "an inbox of its own")
	w.settings["DOCUSORT_HOME"] = w.home
	delete(w.settings, "DOCUSORT_INBOX")
	w.stop(first)
}
