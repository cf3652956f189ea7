package watcher

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
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

// In a tree that is too deep for inotify, files are found by scans; elsewhere nothing
// changes. A tree that is deeper by far is left alone.
func TestPathTooLong(t *testing.T) {
	bubble(t, func(f *fixture) {
		sent := make(map[string]bool)
		f.cfg.Known = func(rel string, _ fs.FileInfo) (bool, error) { return sent[rel], nil }
		f.must(os.Mkdir(f.path("deep"), 0o755))
		f.must(os.Chdir(f.path("deep")))
		defer os.Chdir("/")
		name := strings.Repeat("x", 250)
		var deep, file string
		for len(deep) < 2*maxDepth {
			f.must(os.Mkdir(name, 0o755))
			f.must(os.Chdir(name))
			deep += "/" + name
			if len(deep) > 5000 && file == "" {
				f.must(os.WriteFile("x", []byte("END"), 0o644))
				file = "deep" + deep + "/x"
			}
		}
		f.must(os.WriteFile("lost", []byte("END"), 0o644))
		f.start(nil)
		f.want(5*time.Second, file)
		f.do(func() { sent[file] = true })
		f.write("told of by nobody", "END")
		f.none(50 * time.Second) // until the rescan: the inbox is not polled
		f.want(20*time.Second, "told of by nobody")
		f.do(func() { sent["told of by nobody"] = true })
		f.none(2 * time.Minute)
		f.logged("too long for inotify", 1)
		f.logged("left alone: a path in it is too long", 1)
		f.logged("inotify refuses", 0)
	})
}
