package watcher

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestIgnorePatterns(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Ignore = []string{".*", "*~", "~$*", "@eaDir", "[ab].x", "$RECYCLE.bin", "Große*"}
		for _, p := range []string{".hid", "x~", "~$doc", "@eaDir/a", ".git/a", "a.x", "sub/.x/y",
			"B.X", "sub/@EADIR", "sub/$Recycle.Bin/S-1-5/a", "GROßE 1"} {
			f.write(p, "END")
		}
		f.write("c.x", "END")
		f.write("sub/RECYCLE", "END")
		f.start(nil)
		f.want(5*time.Second, "c.x", "sub/RECYCLE")
		f.drop(".late", "END")
		f.must(os.Mkdir(f.path(".latedir"), 0o755))
		f.event(".latedir", fsnotify.Create)
		f.none(50 * time.Second)
		f.watches("", "sub")
	})
}

// They are told of once, never looked into, and never followed.
func TestLinksAndSpecialFiles(t *testing.T) {
	bubble(t, func(f *fixture) {
		outside := t.TempDir()
		f.must(os.WriteFile(outside+"/secret", []byte("END"), 0o644))
		f.must(os.Symlink(outside+"/secret", f.path("link")))
		f.must(os.Symlink(outside, f.path("linkdir")))
		f.must(os.Mkdir(f.path("real"), 0o755))
		f.must(os.Symlink("real", f.path("inside")))
		f.must(os.Symlink("nowhere", f.path("dangling")))
		f.must(syscall.Mkfifo(f.path("fifo"), 0o644))
		f.must(os.Chdir(f.root)) // a socket's path is at most 108 bytes
		defer os.Chdir("/")
		s, err := net.Listen("unix", "socket")
		f.must(err)
		defer s.Close()
		f.start(nil)
		f.none(150 * time.Second)
		for _, p := range []string{"link", "linkdir", "inside", "dangling", "fifo", "socket"} {
			f.event(p, fsnotify.Create)
		}
		f.event("linkdir/secret", fsnotify.Write) // from a watch on what was a folder
		f.none(time.Minute)
		f.logged("left alone", 6)
		if len(f.inspected) > 0 {
			t.Errorf("looked into %q", f.inspected)
		}
		f.watches("", "real")
	})
}

func TestWhatWasLoggedIsBounded(t *testing.T) {
	bubble(t, func(f *fixture) {
		w := f.make()
		w.limits.logged = 10
		for i := range 50 {
			f.must(os.Symlink("x", f.path(fmt.Sprint("link", i))))
		}
		f.start(w)
		f.none(5 * time.Minute)
		f.logged("left alone", 11)
		f.logged("further ones", 1)
		for i := range 50 {
			f.must(os.Remove(f.path(fmt.Sprint("link", i))))
		}
		f.none(2 * time.Minute)
		f.must(os.Symlink("x", f.path("another")))
		f.none(2 * time.Minute)
		f.logged("left alone", 12)
		f.logged("another", 1)
	})
}
