package watcher

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Removed and made again: noticed within 10 s without any event, whatever the
// rescan interval.
func TestInboxRemovedAndMadeAgain(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		f.write("sub/a", "END")
		f.start(nil)
		f.want(5*time.Second, "sub/a")
		f.must(os.RemoveAll(f.root))
		f.none(time.Minute)
		f.logged("inbox is missing", 1)
		f.watches()
		f.must(os.Mkdir(f.root, 0o755))
		f.write("b", "END")
		f.want(15*time.Second, "b")
		f.logged("inbox is back", 1)
		f.logged("WARN", 1)
		f.watches("")
		f.drop("c", "END")
		f.wantIn(5*time.Second, "c")
	})
}

// Replaced between two looks, so that it was never seen missing: by another
// folder, and by a link to another one.
func TestInboxReplaced(t *testing.T) {
	for _, link := range []bool{false, true} {
		bubble(t, func(f *fixture) {
			f.cfg.Rescan = 24 * time.Hour
			f.remember()
			f.write("a", "END")
			if link {
				f.must(os.Rename(f.root, f.root+".1"))
				f.must(os.Symlink("inbox.1", f.root))
			}
			f.start(nil)
			f.wantIn(5*time.Second, "a")
			f.must(os.Rename(f.root, f.root+".old"))
			f.must(os.Mkdir(f.root+".2", 0o755))
			if link {
				f.must(os.Symlink("inbox.2", f.root))
			} else {
				f.must(os.Rename(f.root+".2", f.root))
			}
			f.write("b", "END")
			f.want(15*time.Second, "b")
			f.logged("inbox is", 0)
		})
	}
}

// The same folder again, but its watch is dead: unmounted and mounted again.
func TestInboxWatchDied(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.start(nil)
		f.none(time.Second)
		f.must(f.fake.Remove(f.root))
		f.write("b", "END")
		f.want(15*time.Second, "b")
		f.watches("")
	})
}

// With its event, a removal is noticed at once; a file in its place is no inbox.
func TestInboxRemovalEvent(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		f.none(time.Second)
		f.must(os.Remove(f.root))
		f.event("", fsnotify.Remove)
		f.logged("inbox is missing", 1)
		f.must(os.WriteFile(f.root, nil, 0o644))
		f.none(time.Minute)
		f.logged("inbox is", 1)
	})
}

func TestMountedOver(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		f.write("under", "END")
		f.start(nil)
		f.want(5*time.Second, "under")
		if err := syscall.Mount("docusort", f.root, "tmpfs", 0, "size=1m"); err != nil {
			t.Skipf("this machine lets nobody mount: %v", err)
		}
		mounted := true
		defer func() {
			if mounted {
				syscall.Unmount(f.root, syscall.MNT_DETACH)
			}
		}()
		f.write("over", "END")
		f.want(15*time.Second, "over")
		// The watcher at rest keeps nothing open that makes the mount busy.
		synctest.Wait()
		f.must(syscall.Unmount(f.root, 0))
		mounted = false
		f.write("again", "END")
		f.want(15*time.Second, "again")
	})
}

// The inbox, or a folder in it, may not be read. The root of the machine may read
// everything, so this runs the test again as nobody.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	bubble(t, func(f *fixture) {
		f.remember()
		f.write("locked\n/a", "END")
		f.write("open/b", "END")
		f.must(os.Chmod(f.path("locked\n"), 0))
		defer os.Chmod(f.path("locked\n"), 0o755)
		w := f.make()
		f.start(w)
		f.wantIn(5*time.Second, "open/b")
		f.none(5 * time.Minute)
		f.logged("cannot read a folder", 1)
		f.logged(`/locked\n`, 1)
		listed(f, w, "locked\n/")
		f.must(os.Chmod(f.path("locked\n"), 0o444)) // its files have names, and cannot be seen
		f.none(3 * time.Minute)
		listed(f, w, "locked\n/a")
		if left, err := f.make().RunOnce(f.t.Context()); err != nil || !slices.Contains(left, "locked\n/a") {
			t.Errorf("once: %q, %v", left, err)
		}
		f.must(os.Chmod(f.path("locked\n"), 0o755))
		f.event("locked\n", fsnotify.Chmod)
		f.wantIn(5*time.Second, "locked\n/a")
		f.none(3 * time.Minute)
		listed(f, w)
	})
	bubble(t, func(f *fixture) {
		f.write("a", "END")
		f.must(os.Chmod(f.root, 0))
		defer os.Chmod(f.root, 0o755)
		if _, err := f.make().RunOnce(f.t.Context()); !errors.Is(err, os.ErrPermission) {
			t.Errorf("once: %v", err)
		}
		f.start(nil)
		f.none(5 * time.Minute)
		f.logged("cannot read a folder", 1)
		f.must(os.Chmod(f.root, 0o755))
		f.want(65*time.Second, "a")
	})
}

// listed checks what is listed as not readable.
func listed(f *fixture, w *Watcher, want ...string) {
	f.t.Helper()
	var got []string
	for _, left := range w.NotTaken() {
		if left.Reason == "not readable" {
			got = append(got, left.Path)
		}
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("listed as not readable: %q, want %q", got, want)
	}
}

// asNobody runs the calling test in a process of a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	exe, err := os.Open("/proc/self/exe") // its folder may be closed to nobody
	must(t, err)
	defer exe.Close()
	tmp, err := os.MkdirTemp("/tmp", "docusort")
	must(t, err)
	defer os.RemoveAll(tmp)
	must(t, os.Chmod(tmp, 0o777))
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = tmp
	cmd.Env = []string{"TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
