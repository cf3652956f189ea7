package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rescanRarely sets the rescan so far off that what is found was found without it.
func (w *world) rescanRarely() { w.settings["DOCUSORT_RESCAN"] = "1h" }

// waitFiled waits until so many documents are filed.
func (w *world) waitFiled(n int) {
	w.t.Helper()
	w.waitFor(fmt.Sprintf("%d are filed", n), func(r *reportJSON) bool { return r.Totals["filed"] == n })
}

// TestInboxMadeAgain: an inbox that is removed or moved away with documents in
// flight, and made again, is watched again; what was in it is gone, or comes
// back with it and costs nothing more.
func TestInboxMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.rescanRarely()
	w.jobsStay.Store(true)
	d := w.start("run")
	w.drop("removed.pdf", pdf(invoice, "removed"))
	w.waitState("pending", 1)
	w.takeAway(filepath.Join(w.inbox, "removed.pdf"))
	noErr(t, os.RemoveAll(w.inbox))
	noErr(t, os.Mkdir(w.inbox, 0o755))
	w.drop("again/new.pdf", pdf(invoice, "new"))
	w.waitState("pending", 2)
	aside := filepath.Join(w.dir, "aside")
	noErr(t, os.Rename(w.inbox, aside))
	w.jobsStay.Store(false)
	w.waitState("pending", 0)
	if r, _ := w.report(); r.Totals["filed"]+r.Totals["failed"] != 0 {
		t.Errorf("without an inbox: %v", r.Totals)
	}
	noErr(t, os.Rename(aside, w.inbox))
	w.waitState("filed", 1)
	w.drop("last.pdf", pdf(receipt, "last"))
	w.waitState("filed", 2)
	w.stop(d)
	if r := w.check(); r.Totals["gone"] != 1 || r.Requests.Resubmissions != 0 || w.api.Stats().Submissions != 3 {
		t.Errorf("%v, %+v, %d submissions", r.Totals, r.Requests, w.api.Stats().Submissions)
	}
}

// TestMountedOver: a filesystem that is mounted over the inbox with documents
// in flight hides them and takes none of them away, is served itself, and is
// noticed without a rescan; its end is seen when somebody asks for a look.
func TestMountedOver(t *testing.T) {
	w := newWorld(t)
	w.rescanRarely()
	w.jobsStay.Store(true)
	d := w.start("run")
	w.drop("below.pdf", pdf(invoice, "below"))
	w.waitState("pending", 1)
	if err := unix.Mount("test", w.inbox, "tmpfs", 0, "size=1m,mode=755"); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	mounted := true
	t.Cleanup(func() {
		if mounted {
			_ = unix.Unmount(w.inbox, unix.MNT_DETACH)
		}
	})
	w.drop("above.pdf", pdf(receipt, "above"))
	w.jobsStay.Store(false)
	w.waitState("filed", 1)
	r := w.waitState("identified", 1)
	if len(r.Documents) != 2 || r.Totals["gone"] != 0 {
		t.Errorf("%v", r.Totals)
	}
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Unmount(w.inbox, 0) // may be refused while a scan runs
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("unmount: %v", err)
		}
	}
	mounted = false
	d.signal(syscall.SIGHUP)
	w.drop("below too.pdf", pdf(contract, "below too"))
	w.waitState("filed", 3)
	w.stop(d)
	if r := w.check(); r.Requests.Resubmissions != 0 || w.api.Stats().Submissions != 3 {
		t.Errorf("%+v, %d submissions", r.Requests, w.api.Stats().Submissions)
	}
}

// queuedEvents returns how many events the kernel keeps for a process.
func queuedEvents(t *testing.T) int {
	b, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skipf("this kernel has no inotify: %v", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	noErr(t, err)
	if n > 1<<18 {
		t.Skipf("a queue of %d events takes too long to fill", n)
	}
	return n
}

// TestEventsLost: more happens than the kernel keeps for a daemon that stands
// still. What it was not told of is found all the same, and at once.
func TestEventsLost(t *testing.T) {
	n := queuedEvents(t)
	w := newWorld(t)
	w.rescanRarely()
	w.drop("folder/first.pdf", pdf(invoice, "first"))
	d := w.start("run")
	w.waitState("filed", 1)
	d.signal(syscall.SIGSTOP)
	noise := filepath.Join(w.inbox, "noise.tmp")
	for range n/2 + 10 { // two events each, at the least
		noErr(t, os.WriteFile(noise, nil, 0o600))
		noErr(t, os.Remove(noise))
	}
	for i := range 10 {
		w.drop(fmt.Sprintf("folder/%d.pdf", i), pdf(invoice, fmt.Sprint(i)))
		w.drop(fmt.Sprintf("new %d/scan.pdf", i), pdf(receipt, fmt.Sprint(i)))
	}
	d.signal(syscall.SIGCONT)
	w.waitState("filed", 21)
	w.drop("folder/last.pdf", pdf(invoice, "last"))
	w.waitState("filed", 22)
	w.stop(d)
	w.check()
}

// TestWatchesRefused: a daemon that gets too few watches of the kernel, or none,
// waitOutput so, scans instead and goes on.
func TestWatchesRefused(t *testing.T) {
	cases := []struct{ name, limit, value, says string }{
		{"too few watches", "max_inotify_watches", "2", "max_user_watches"},
		{"no instances", "max_inotify_instances", "0", "max_user_instances"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.rescanRarely()
			d := w.childWithLimit(c.limit, c.value)
			for i := range 5 {
				w.drop(fmt.Sprintf("%d/before.pdf", i), pdf(invoice, fmt.Sprint(i)))
			}
			d.begin()
			w.waitState("filed", 5)
			for i := range 5 {
				w.drop(fmt.Sprintf("%d/after.pdf", i), pdf(receipt, fmt.Sprint(i)))
			}
			w.waitState("filed", 10)
			w.stop(d)
			w.check()
			if text := d.stderr.String(); strings.Count(text, "inotify refuses a watch") != 1 || !strings.Contains(text, c.says) {
				t.Errorf("it says nothing of %s, or too often", c.says)
			}
		})
	}
}

// childWithLimit makes a daemon in a user namespace of its own, where a limit is as low
// as that.
func (w *world) childWithLimit(limit, value string) *child {
	w.t.Helper()
	file := "/proc/sys/user/" + limit
	namespace := func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	probe := exec.Command("/bin/sh", "-c", "echo "+value+" > "+file)
	probe.SysProcAttr = namespace()
	if out, err := probe.CombinedOutput(); err != nil {
		w.t.Skipf("%s cannot be lowered here: %v: %s", file, err, out)
	}
	c := w.child("run")
	c.cmd.Args = append([]string{"/bin/sh", "-c", "echo " + value + " > " + file + ` && exec "$0" "$@"`, c.cmd.Path}, c.cmd.Args[1:]...)
	c.cmd.Path = "/bin/sh"
	c.cmd.SysProcAttr = namespace()
	return c
}
