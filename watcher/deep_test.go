package watcher

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// A long chain of folders is scanned soon, although each one is opened from the
// inbox.
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
			Root: root, Files: make(chan string), Mode: mode, Rescan: time.Hour, Recursive: true,
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
