package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// live runs the watcher with real inotify, real time and a rescan that never
// comes, so that what arrives was told of by an event.
func live(t *testing.T) *fixture {
	f := setup(t)
	f.remember()
	f.startLive()
	return f
}

func (f *fixture) startLive() {
	f.t.Helper()
	f.cfg.Rescan = 24 * time.Hour
	f.cfg.Settle = 50 * time.Millisecond
	w := f.make()
	w.open = openInotify
	f.start(w)
	select {
	case <-w.Ready():
	case <-time.After(time.Minute):
		f.t.Fatal("not ready")
	}
}

// A long chain of folders is scanned soon, although each one is opened from the
// inbox.
func TestLiveDeepFolders(t *testing.T) {
	for _, mode := range []Mode{Poll, Inotify} {
		f := setup(t)
		f.cfg.Mode = mode
		inbox, err := os.OpenRoot(f.root)
		f.must(err)
		defer inbox.Close()
		defer inbox.RemoveAll("d") // too deep for what cleans up
		f.must(inbox.MkdirAll(strings.Repeat("d/", 1000)+"d", 0o755))
		f.startLive()
	}
}

func TestLiveTreeMovedInAndAround(t *testing.T) {
	f := live(t)
	outside := filepath.Join(filepath.Dir(f.root), "tree")
	f.must(os.MkdirAll(outside+"/x/y", 0o755))
	f.must(os.WriteFile(outside+"/x/y/a", []byte("END"), 0o644))
	f.must(os.Rename(outside, f.path("in")))
	f.want(30*time.Second, "in/x/y/a")
	f.write("in/x/y/b", "END")
	f.want(30*time.Second, "in/x/y/b")
	from := "in"
	for i := range 20 { // each move races with fsnotify's own bookkeeping
		to := fmt.Sprint("on", i)
		f.must(os.Rename(f.path(from), f.path(to)))
		f.want(30*time.Second, to+"/x/y/a", to+"/x/y/b")
		f.write(to+"/x/y/new", "END")
		f.want(30*time.Second, to+"/x/y/new")
		f.must(os.Remove(f.path(to + "/x/y/new")))
		from = to
	}
}

func TestLiveFoldersRemovedAndMadeAgain(t *testing.T) {
	f := live(t)
	for i := range 3 {
		f.must(os.RemoveAll(f.root))
		f.must(os.Mkdir(f.root, 0o755)) // often with the same inode number
		f.write("a", fmt.Sprint(i, "END"))
		f.want(30*time.Second, "a")
		for j := range 7 {
			f.write("sub/b", fmt.Sprint(i, j, "END"))
			f.want(30*time.Second, "sub/b")
			f.must(os.RemoveAll(f.path("sub")))
		}
	}
}

func TestLiveBurst(t *testing.T) {
	f := live(t)
	want := []string{strings.Repeat("deep/", 30) + "file"}
	for _, name := range []string{"line\nbreak", "\xff\xfe", "tab\t\"quote\"", " ", "ünï", "-rf", "a\\b", "\x1b[31m"} {
		want = append(want, name, "in \xff\n/"+name)
	}
	for i := range 5000 {
		want = append(want, fmt.Sprintf("d%d/%d", i%5, i))
	}
	for _, name := range want {
		f.write(name, "END")
	}
	f.want(30*time.Second, want...)
}
