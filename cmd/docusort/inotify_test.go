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
)

// rescanRarely makes sure that what is found is found without a rescan.
func (w *world) rescanRarely() { w.settings["DOCUSORT_RESCAN"] = "1h" }

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

// TestEventsLost: a document whose event the kernel dropped is found at once.
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

// TestWatchesRefused: a daemon that gets too few watches, or none, warns once and scans
// instead.
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
			w.dropMany(5, "%d/before.pdf")
			d.begin()
			w.waitState("filed", 5)
			for i := range 5 {
				w.drop(fmt.Sprintf("%d/after.pdf", i), pdf(receipt, fmt.Sprint(i)))
			}
			w.waitState("filed", 10)
			w.stop(d)
			w.check()
			if text := d.stderr.String(); strings.Count(text, logWatchRefused) != 1 || !strings.Contains(text, c.says) {
				t.Errorf("it does not name %s, or not once", c.says)
			}
		})
	}
}

// childWithLimit makes a daemon in a user namespace of its own with that limit.
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
