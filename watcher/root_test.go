package watcher

import (
	"errors"
	"fmt"
	"os"
	"strings"
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
		if n := len(f.fake.watched()); n != 0 {
			t.Errorf("%d watches on a missing inbox", n)
		}
		f.must(os.Mkdir(f.root, 0o755))
		f.write("b", "END")
		f.want(15*time.Second, "b")
		f.logged("inbox is back", 1)
		f.logged("WARN", 1)
		if got := f.fake.watched(); len(got) != 1 {
			t.Errorf("watched %v", got)
		}
		f.drop("c", "END")
		f.wantIn(5*time.Second, "c")
	})
}

// Replaced between two looks, so that it was never seen missing.
func TestInboxReplaced(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		f.start(nil)
		f.none(time.Second)
		f.must(os.Rename(f.root, f.root+".old"))
		f.must(os.Mkdir(f.root, 0o755))
		f.write("b", "END")
		f.want(15*time.Second, "b")
		f.logged("inbox is", 0)
	})
}

// The same folder again, but its watch is dead: unmounted and mounted again.
func TestInboxWatchDied(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.start(nil)
		f.none(time.Second)
		f.must(f.fake.remove(f.root))
		f.write("b", "END")
		f.want(15*time.Second, "b")
		if !f.fake.watching(f.root) {
			t.Error("not watched again")
		}
	})
}

// With its event, a removal is noticed at once.
func TestInboxRemovalEvent(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		f.none(time.Second)
		f.must(os.Remove(f.root))
		f.event("", fsnotify.Remove)
		f.logged("inbox is missing", 1)
	})
}

func TestInboxIsAFile(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.must(os.Remove(f.root))
		f.must(os.WriteFile(f.root, nil, 0o644))
		f.start(nil)
		f.none(time.Minute)
		f.logged("inbox is missing", 1)
	})
}

func TestInboxThroughALink(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.must(os.Rename(f.root, f.root+".1"))
		f.must(os.Mkdir(f.root+".2", 0o755))
		f.must(os.Symlink("inbox.1", f.root))
		f.write("a", "END")
		f.start(nil)
		f.wantIn(5*time.Second, "a")
		f.must(os.Remove(f.root))
		f.must(os.Symlink("inbox.2", f.root))
		f.write("b", "END")
		f.want(15*time.Second, "b")
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

func TestOverflow(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		f.start(nil)
		f.none(10 * time.Second)
		f.write("sub/lost", "END")
		f.fake.errs <- fsnotify.ErrEventOverflow
		f.wantIn(5*time.Second, "sub/lost")
		f.logged("WARN", 0)
		f.none(5 * time.Second)
		f.write("other", "END")
		f.fake.errs <- errTest
		f.wantIn(5*time.Second, "other")
		f.logged(errTest.Error(), 1)
	})
}

// fsnotify ended by itself: a new one is started at the next scan.
func TestNotifierEnds(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		opened := 0
		w.open = func() (notifier, error) {
			opened++
			f.fake = newFake()
			return f.fake, nil
		}
		f.start(w)
		f.none(10 * time.Second)
		f.must(f.fake.close())
		f.none(10 * time.Second)
		if opened != 2 {
			t.Errorf("opened %d times", opened)
		}
		f.drop("a", "END")
		f.wantIn(5*time.Second, "a")
	})
}

// Out of watches: said once, scanned more often, and asked for again.
func TestOutOfWatches(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		for i := range 20 {
			f.must(os.Mkdir(f.path(fmt.Sprint("dir", i)), 0o755))
		}
		asked := 0
		f.fake.refuse = func(p string) error {
			if p == f.root {
				return nil
			}
			asked++
			return os.NewSyscallError("inotify_add_watch", syscall.ENOSPC)
		}
		f.start(nil)
		f.none(time.Minute)
		f.logged("max_user_watches", 1)
		f.logged("WARN", 1)
		f.peek(func(*loop) {
			if asked > 8 {
				t.Errorf("asked %d times in a minute", asked)
			}
		})
		f.write("dir7/quiet", "END")
		f.want(15*time.Second, "dir7/quiet")
		f.drop("seen", "END") // the watches that there are still serve
		f.wantIn(5*time.Second, "seen")
		f.fake.mu.Lock()
		f.fake.refuse = nil
		f.fake.mu.Unlock()
		f.none(10 * time.Second)
		f.logged("grants watches again", 1)
		if n := len(f.fake.watched()); n != 21 {
			t.Errorf("%d folders watched, want 21", n)
		}
	})
}

func TestNoInotifyAtAll(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		refused := error(os.NewSyscallError("inotify_init1", syscall.EMFILE))
		w.open = func() (notifier, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.fake, refused
		}
		f.start(w)
		f.none(time.Second)
		f.write("a", "END")
		f.want(15*time.Second, "a")
		f.logged("max_user_instances", 1)
		f.do(func() { refused = nil })
		f.none(10 * time.Second)
		f.logged("grants watches again", 1)
		f.drop("b", "END")
		f.wantIn(5*time.Second, "b")
	})
}

// fsnotify takes a folder named "..." for the folder it is in.
func TestFolderNamedDots(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write(".../a", "END")
		f.start(nil)
		f.wantIn(5*time.Second, ".../a")
		if got := f.fake.watched(); len(got) != 1 {
			t.Errorf("watched %v", got)
		}
		f.must(os.RemoveAll(f.path("...")))
		f.event("...", fsnotify.Remove)
		f.none(2 * time.Minute)
		if got := f.fake.watched(); len(got) != 1 {
			t.Errorf("watched %v", got)
		}
	})
}

func TestSharedFilesystemIsNamedOnce(t *testing.T) {
	for mode, level := range map[Mode]string{Auto: "INFO", Inotify: "WARN", Poll: ""} {
		bubble(t, func(f *fixture) {
			f.cfg.Mode = mode
			f.must(os.Mkdir(f.path("sub"), 0o755))
			w := f.make()
			w.filesystem = func(string) string { return "NFS" }
			f.start(w)
			f.none(5 * time.Minute)
			if level == "" {
				f.logged("NFS", 0)
			} else {
				f.logged("level="+level+` msg="changes made elsewhere`, 1)
			}
		})
	}
	if got := sharedFilesystem(t.TempDir()); got != "" && !strings.Contains(got, "FUSE") {
		t.Errorf("the temporary folder is on %q", got)
	}
	if got := sharedFilesystem("/nowhere/at/all"); got != "" {
		t.Errorf("%q", got)
	}
}

// The root of the machine may read everything, so this runs the test again as
// nobody.
func TestUnreadableFolder(t *testing.T) {
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
		f.start(nil)
		f.wantIn(5*time.Second, "open/b")
		f.none(5 * time.Minute)
		f.logged("cannot read a folder", 1)
		f.logged(`locked\\n`, 1)
		f.must(os.Chmod(f.path("locked\n"), 0o755))
		f.event("locked\n", fsnotify.Chmod)
		f.wantIn(5*time.Second, "locked\n/a")
	})
}

func TestUnreadableInbox(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
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
