package watcher

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkScan walks an inbox of many files, all of which are known, and all of
// which are new and settle; ns/op is that of one file.
func BenchmarkScan(b *testing.B) {
	const files = 10_000
	root := b.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("scan-%d.pdf", i)), []byte("x"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for name, known := range map[string]bool{"known": true, "new": false} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; n < b.N; n += files {
				sent := make(chan string)
				w, err := New(Config{
					Root: root, Files: sent, Mode: Poll, Rescan: time.Hour, Settle: time.Nanosecond, IncompleteAfter: time.Hour,
					Recursive: true, Ignore: []string{".*", "*~", "*.tmp", "*.part"},
					Known:   func(string, fs.FileInfo) (bool, error) { return known, nil },
					Inspect: func(string) (Condition, error) { return Complete, nil },
				})
				if err != nil {
					b.Fatal(err)
				}
				done := make(chan error, 1)
				go func() {
					_, err := w.RunOnce(context.Background())
					close(sent)
					done <- err
				}()
				count := 0
				for range sent {
					count++
				}
				if err := <-done; err != nil || known != (count == 0) || !known && count < files {
					b.Fatalf("%d files sent: %v", count, err)
				}
			}
		})
	}
}
