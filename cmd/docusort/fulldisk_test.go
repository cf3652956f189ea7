package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mountSmall mounts a small filesystem at a folder, or skips the test where that
// cannot be done; again mounts it with other options.
func mountSmall(t *testing.T, at, options string) (again func(flags uintptr, options string)) {
	t.Helper()
	noErr(t, os.MkdirAll(at, 0o755))
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, options); err != nil {
		t.Skipf("only root can mount a filesystem, so no disk is full here: %v", err)
	}
	t.Cleanup(func() { noErr(t, unix.Unmount(at, unix.MNT_DETACH)) })
	return func(flags uintptr, options string) {
		t.Helper()
		noErr(t, unix.Mount("tmpfs", at, "tmpfs", unix.MS_REMOUNT|flags, options))
	}
}

// fill takes all the room that a filesystem has, to the last byte.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	noErr(t, err)
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	noErr(t, f.Close())
}

// TestDiskFull: a disk that is full or read-only is a hold that is reported,
// nothing is submitted or lost, and the hold ends by itself when there is room.
func TestDiskFull(t *testing.T) {
	const room = "size=64m,nr_inodes=10k"
	for _, c := range []struct {
		name    string
		record  bool // it is the disk of the database, or else that of sorted
		options string
		begin   func(t *testing.T, at string, again func(uintptr, string))
	}{
		{"record full", true, "size=1m", func(t *testing.T, at string, _ func(uintptr, string)) { fill(t, at) }},
		{"sorted full", false, "size=64k", func(t *testing.T, at string, _ func(uintptr, string)) { fill(t, at) }},
		{"sorted read-only", false, room, func(_ *testing.T, _ string, again func(uintptr, string)) { again(unix.MS_RDONLY, room) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, again := newDiskWorld(t, c.record, c.options)
			at := w.sorted
			if c.record {
				at = w.home
			}
			d := w.startDaemon()
			begun, release := w.slowUploads()
			w.drop("first.pdf", pdf(invoice, "first"))
			<-begun
			c.begin(t, at, again)
			release() // a job is made, and its id or its document has no room
			for i := range 5 {
				w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i, strings.Repeat("x", 9000))))
			}
			w.waitHold("disk")
			w.checkHoldShown("disk")
			w.drop("later.pdf", pdf(receipt, "later"))
			w.checkNotSubmitted(pdf(receipt, "later"), fault{})
			if n := w.api.Stats().Submissions; c.record && n != 1 {
				t.Errorf("%d submissions that could not be recorded", n-1)
			}
			again(0, room)
			removeBallast(t, at)
			w.waitFor("the hold ends", func(r *reportJSON) bool { return r.Daemon.Hold == nil })
			w.finish(d)
			w.checkSubmissions(7)
		})
	}
}

// newDiskWorld has the database, or sorted, on a small disk of its own.
func newDiskWorld(t *testing.T, record bool, options string) (w *world, again func(uintptr, string)) {
	w = newWorld(t)
	w.settings["DOCUSORT_LOG_LEVEL"] = "info"
	if !record {
		return w, mountSmall(t, w.sorted, options)
	}
	w.inbox, w.sorted = filepath.Join(w.dir, "inbox"), filepath.Join(w.dir, "sorted")
	w.settings["DOCUSORT_INBOX"], w.settings["DOCUSORT_SORTED"] = w.inbox, w.sorted
	noErr(t, os.Mkdir(w.inbox, 0o755))
	return w, mountSmall(t, w.home, options)
}

func removeBallast(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "ballast")); !os.IsNotExist(err) {
		noErr(t, err)
	}
}

// TestDiskReadOnlyAtTheStart: a read-only disk of the database is refused at the start.
// (The kernel does not make it read-only while a daemon has files open there.)
func TestDiskReadOnlyAtTheStart(t *testing.T) {
	w, again := newDiskWorld(t, true, "size=8m")
	w.killWithPending()
	again(unix.MS_RDONLY, "size=8m")
	w.checkRefused("", "read-only", "mount the disk for writing")
	again(0, "size=8m")
	w.runToEnd()
	w.checkSubmissions(5)
}
