package watcher

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestRenamedIntoPlace(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Ignore = []string{"*.part"}
		f.start(nil)
		f.drop("a.part", "END")
		f.none(10 * time.Second)
		f.must(os.Rename(f.path("a.part"), f.path("a.pdf")))
		f.event("a.part", fsnotify.Rename)
		f.event("a.pdf", fsnotify.Create)
		f.wantIn(5*time.Second, "a.pdf")
		if len(f.inspected) != 1 {
			t.Errorf("looked into %q", f.inspected)
		}
	})
}

// A folder moved in whole brings one event, for itself.
func TestFolderMovedIn(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		f.start(nil)
		f.none(time.Second)
		outside := filepath.Join(t.TempDir(), "tree")
		f.must(os.MkdirAll(outside+"/x/y/z", 0o755))
		for _, p := range []string{"a", "x/b", "x/y/z/c"} {
			f.must(os.WriteFile(outside+"/"+p, []byte("END"), 0o644))
		}
		f.must(os.Rename(outside, f.path("in")))
		f.event("in", fsnotify.Create)
		f.want(5*time.Second, "in/a", "in/x/b", "in/x/y/z/c")
		f.watches("", "in", "in/x", "in/x/y", "in/x/y/z")
		f.must(os.Rename(f.path("in"), f.path("on")))
		f.event("in", fsnotify.Rename)
		f.event("on", fsnotify.Create)
		f.want(5*time.Second, "on/a", "on/x/b", "on/x/y/z/c")
		f.watches("", "on", "on/x", "on/x/y", "on/x/y/z")
		f.must(os.RemoveAll(f.path("on/x")))
		f.none(65 * time.Second) // no event: the next scan gives them up
		f.watches("", "on")
	})
}

// The kernel watches inodes: a folder that moved must lose the watch under its
// old name first, also when the news of its new name come first. One that is
// moved out of the inbox takes no watch with it, also where another one takes its place.
func TestFolderMovedAround(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.must(os.MkdirAll(f.path("a/sub"), 0o755))
		f.start(nil)
		f.none(time.Second)
		f.must(os.Rename(f.path("a"), f.path("b")))
		f.event("b", fsnotify.Create)
		f.watches("", "b", "b/sub")
		f.must(os.Rename(f.path("b"), f.root+".out"))
		f.event("b", fsnotify.Rename)
		f.watches("")
		f.must(os.Rename(f.root+".out", f.path("a")))
		f.event("a", fsnotify.Create)
		f.watches("", "a", "a/sub")
		f.must(os.Rename(f.path("a"), f.root+".out"))
		f.must(os.Mkdir(f.path("a"), 0o755))
		removes := f.fake.removes
		f.event("a", fsnotify.Create)
		f.watches("", "a")
		if n := f.fake.removes - removes; n != 2 {
			t.Errorf("%d watches removed, want 2", n)
		}
	})
}

func TestNotRecursive(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Recursive = false
		f.remember()
		f.write("sub/a", "END")
		f.write("b", "END")
		f.start(nil)
		f.wantIn(5*time.Second, "b")
		f.drop("new/c", "END")
		f.event("new", fsnotify.Create)
		f.none(3 * time.Minute)
		f.watches("")
	})
}

func TestRescan(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		f.start(w)
		<-w.Ready()
		f.none(10 * time.Second)
		f.write("quiet", "END")
		f.none(6 * time.Second)
		for range 100 {
			w.Rescan()
		}
		f.wantIn(5*time.Second, "quiet")
		f.write("other", "END")
		f.wantIn(time.Minute, "other") // a rescan starts the interval afresh
	})
}

func TestRescanIntervalFindsWhatNoEventToldOf(t *testing.T) {
	for _, mode := range []Mode{Auto, Inotify, Poll} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			bubble(t, func(f *fixture) {
				f.cfg.Mode = mode
				f.start(nil)
				f.none(10 * time.Second)
				f.write("sub/quiet", "...")
				f.none(55 * time.Second) // found at 60 s, looked into at 65
				f.write("sub/quiet", "...END")
				f.want(10*time.Second, "sub/quiet")
				if mode == Poll && f.fake.adds > 0 {
					t.Error("watched something while polling")
				}
			})
		})
	}
}

func TestReadyWhenScanned(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.must(os.Remove(f.root))
		w := f.make()
		f.start(w)
		time.Sleep(time.Minute)
		select {
		case <-w.Ready():
			t.Error("ready without an inbox")
		default:
		}
		f.must(os.Mkdir(f.root, 0o755))
		<-w.Ready()
	})
}

// With nothing to do the watcher wakes for the rescan and the root check only.
func TestAtRest(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write("a", "END")
		f.remember()
		f.start(nil)
		f.wantIn(5*time.Second, "a")
		began, wakes := time.Now(), 0
		for time.Since(began) < time.Hour {
			var next time.Time
			f.peek(func(l *loop) {
				if next = l.nextWake(); !next.After(time.Now()) {
					t.Error("busy at rest")
				}
			})
			time.Sleep(time.Until(next) + 1)
			wakes++
		}
		if wakes > 360+60+5 {
			t.Errorf("%d wake-ups in an hour", wakes)
		}
	})
}

// A rescan that is asked for while a scan runs follows it: that scan may have
// passed by already.
func TestRescanDuringAScan(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Mode, f.cfg.Rescan = Poll, 24*time.Hour
		for i := range 10 {
			f.write(fmt.Sprint("known", i), "END")
		}
		var w *Watcher
		var once sync.Once
		f.cfg.Known = func(rel string, _ fs.FileInfo) (bool, error) {
			once.Do(func() {
				f.write("new", "END")
				w.Rescan()
			})
			return rel != "new", nil
		}
		w = f.make()
		w.limits.batch = 1
		f.start(w)
		f.wantIn(5*time.Second, "new")
	})
}
