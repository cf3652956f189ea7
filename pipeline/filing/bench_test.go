package filing

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkMove moves documents of 100 kB; ns/op is that of one.
func BenchmarkMove(b *testing.B) {
	for _, c := range []struct {
		name, base     string
		across, synced bool
	}{
		{"disk", "", false, false},
		{"disk, synced before", "", false, true},
		{"memory", "/dev/shm", false, false},
		{"memory to disk", "/dev/shm", true, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			base, err := os.MkdirTemp(c.base, "filing")
			must(b, err)
			defer os.RemoveAll(base)
			sorted := filepath.Join(base, "sorted")
			if c.across {
				sorted = b.TempDir()
			}
			must(b, os.MkdirAll(filepath.Join(base, "inbox"), 0o755))
			must(b, os.MkdirAll(sorted, 0o755))
			content := make([]byte, 100_000)
			sum := sha256.Sum256(content)
			moves := make([]Move, b.N)
			for i := range moves {
				name := fmt.Sprint(i, ".pdf")
				must(b, os.WriteFile(filepath.Join(base, "inbox", name), content, 0o644))
				id, err := Stat(filepath.Join(base, "inbox"), name)
				must(b, err)
				moves[i] = Move{
					Root: filepath.Join(base, "inbox"), Source: name, Identity: id, SHA256: sum[:],
					Sorted: sorted, Target: "t/" + name, Tag: name, Synced: c.synced,
				}
			}
			m := NewMover(Options{})
			b.ResetTimer()
			for _, mv := range moves {
				_, err := m.Do(context.Background(), mv)
				must(b, err)
			}
			must(b, SyncFolders(filepath.Join(base, "inbox"), filepath.Join(sorted, "t")))
		})
	}
}

func BenchmarkFreeName(b *testing.B) {
	dir := fastDir(b)
	for i := range 10_000 {
		must(b, os.WriteFile(filepath.Join(dir, NameWithSuffix("scan.pdf", i+1)), nil, 0o644))
	}
	for b.Loop() {
		_, err := FreeName(dir, "scan.pdf", []string{".json"}, nil)
		must(b, err)
	}
}

func BenchmarkInspect(b *testing.B) {
	dir := fastDir(b)
	must(b, os.WriteFile(filepath.Join(dir, "x"), samples(b)["image/jpeg"], 0o644))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Inspect(dir, "x")
		must(b, err)
	}
}
