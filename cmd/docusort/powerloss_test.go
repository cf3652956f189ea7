package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"golang.org/x/sys/unix"
)

// The ioctl that makes an ext4 filesystem stop as a power cut does (Linux,
// fs/ext4/ioctl.c): nothing that is not on the disk by then gets there.
const (
	ext4Shutdown = 0x8004587d
	noLogFlush   = 2
)

// cutPower ends a stopped process and the filesystem that it uses. A running process
// could make a request between the two whose cause the disk never saw.
func (d *disk) cutPower(w *world, c *child) {
	d.t.Helper()
	d.dropUntilFrozen(w, c)
	d.do(func(fd int) error { return unix.IoctlSetPointerInt(fd, ext4Shutdown, noLogFlush) })
	c.signal(unix.SIGKILL)
	c.waitExit(killed)
}

// do calls what with a descriptor of the filesystem.
func (d *disk) do(what func(fd int) error) {
	d.t.Helper()
	fd, err := unix.Open(d.mount, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	noErr(d.t, err)
	noErr(d.t, what(fd))
	noErr(d.t, unix.Close(fd))
}

// dropUntilFrozen drops documents until a process has reached the step at which it stops.
// Each document is synced when it is dropped, so that only docusort's own syncs save what
// docusort does.
func (d *disk) dropUntilFrozen(w *world, c *child) {
	d.t.Helper()
	pid := c.cmd.Process.Pid
	n := 0
	poll(d.t, c.name+" stops", func() bool {
		if n++; n%50 == 0 {
			w.drop("late.pdf", pdf(receipt, fmt.Sprintf("%d, process %d", n, pid)))
			d.do(unix.Syncfs)
		}
		return frozen(d.t, pid)
	})
}

// disk is a filesystem of its own that loses what was not synced.
type disk struct {
	t            *testing.T
	image, mount string
}

// newDisk makes and mounts a disk, or skips the test where that is impossible.
func newDisk(t *testing.T) *disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a filesystem, so no power is cut here")
	}
	dir := t.TempDir()
	d := &disk{t: t, image: filepath.Join(dir, "disk.img"), mount: filepath.Join(dir, "disk")}
	noErr(t, os.Mkdir(d.mount, 0o755))
	noErr(t, os.WriteFile(d.image, nil, 0o600))
	noErr(t, os.Truncate(d.image, 64<<20))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", d.image}, d.mountCommand()} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no power is cut here: %s: %v: %s", strings.Join(command, " "), err, out)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(d.mount, unix.MNT_DETACH) })
	return d
}

// mountCommand mounts with a journal that is rarely written, so that what was not synced
// is lost.
func (d *disk) mountCommand() []string {
	return []string{"mount", "-o", "loop,commit=300", d.image, d.mount}
}

// powerUp mounts the disk again after a cut.
func (d *disk) powerUp() {
	d.t.Helper()
	// A killed process may still have files open for a moment.
	poll(d.t, "unmount "+d.mount, func() bool { return unix.Unmount(d.mount, 0) == nil })
	command := d.mountCommand()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
}

// TestPowerLostAtEachStep cuts the power at each step, and again at the same step after
// the restart. What users dropped was on the disk; everything else is what docusort
// synced.
func TestPowerLostAtEachStep(t *testing.T) {
	for _, step := range daemonSteps {
		times := []int64{2}
		if *long {
			times = []int64{1, 2, 3, 4, 5}
		}
		for _, n := range times {
			name := strings.ReplaceAll(fmt.Sprintf("%s/%d", step, n), " ", "-")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDisk(t)
				w := newWorldIn(t, d.mount, docutraytest.Options{Latency: 30 * time.Millisecond})
				w.useEveryWay()
				w.dropOneOfEach("one")
				w.config()
				for _, again := range []int64{n, 1} {
					unix.Sync()
					d.cutPower(w, w.startInjected(injection{Step: step, N: again, Freeze: true}, "run"))
					d.powerUp()
					w.checkKilled()
				}
				w.dropOneOfEach("two")
				r := w.runToEnd()
				w.checkUnknownOutcome(&r, step)
			})
		}
	}
}
