package watcher

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// The way down to a folder is not gone anew for each step of it: a scan of a long
// chain of folders took minutes.
func TestDeepFoldersAreScannedSoon(t *testing.T) {
	for _, mode := range []Mode{Poll, Inotify} {
		root := t.TempDir()
		inbox, err := os.OpenRoot(root)
		if err != nil {
			t.Fatal(err)
		}
		defer inbox.Close()
		defer inbox.RemoveAll("d") // too deep for what cleans up
		if err := inbox.MkdirAll(strings.Repeat("d/", 1000)+"d", 0o755); err != nil {
			t.Fatal(err)
		}
		w, err := New(Config{
			Root: root, Files: make(chan string), Mode: mode,
			Rescan: time.Hour, Settle: time.Second, IncompleteAfter: time.Minute, Recursive: true,
			Known:   func(string, fs.FileInfo) (bool, error) { return false, nil },
			Inspect: func(string) (Condition, error) { return Complete, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		select {
		case <-w.Ready():
		case <-time.After(time.Minute):
			t.Errorf("mode %v: the scan takes more than a minute", mode)
		}
		stop()
		<-ended
	}
}

// In a tree of many branches every file is found where it is, whichever folders
// were entered from the same one.
func TestBushyTree(t *testing.T) {
	bubble(t, func(f *fixture) {
		var want []string
		var grow func(dir string, depth int)
		grow = func(dir string, depth int) {
			f.must(os.MkdirAll(f.path(dir), 0o755))
			want = append(want, dir+"/file")
			f.write(dir+"/file", "END")
			for i := range depth {
				grow(fmt.Sprint(dir, "/", strings.Repeat("x", i+1)), depth-1-i/2)
			}
		}
		grow("a", 4)
		grow("b", 4)
		f.start(nil)
		f.want(time.Minute, want...)
	})
}
