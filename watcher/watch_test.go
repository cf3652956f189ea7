package watcher

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

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

// Without inotify the inbox is scanned. It is asked for again, and once more where it
// ends by itself.
func TestNotifierRefusedAndEnded(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		opened, refused := 0, error(os.NewSyscallError("inotify_init1", syscall.EMFILE))
		w.open = func() (notifier, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if refused != nil {
				return notifier{}, refused
			}
			opened++
			f.fake = newFake()
			return f.fake.notifier(), nil
		}
		f.start(w)
		f.none(time.Second)
		f.write("quiet", "END")
		f.want(15*time.Second, "quiet")
		f.logged("max_user_instances", 1)
		f.do(func() { refused = nil })
		f.none(10 * time.Second)
		f.logged("grants watches again", 1)
		f.must(f.fake.Close())
		f.none(10 * time.Second)
		if opened != 2 {
			t.Errorf("opened %d times", opened)
		}
		f.do(func() { refused = errTest })
		f.must(f.fake.Close())
		f.none(15 * time.Second)
		f.do(func() { refused = nil })
		f.none(15 * time.Second)
		f.drop("told", "END")
		f.wantIn(5*time.Second, "told")
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
		if n := len(f.fake.WatchList()); n != 21 {
			t.Errorf("%d folders watched, want 21", n)
		}
	})
}

// fsnotify takes a folder named "..." for the folder it is in.
func TestFolderNamedDots(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write(".../a", "END")
		f.start(nil)
		f.wantIn(5*time.Second, ".../a")
		f.watches("")
		f.must(os.RemoveAll(f.path("...")))
		f.event("...", fsnotify.Remove)
		f.none(2 * time.Minute)
		f.watches("")
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
}
