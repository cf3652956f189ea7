package filing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkMove moves documents of 100 kB; ns/op is that of one.
func BenchmarkMove(b *testing.B) {
	for _, c := range []struct {
		name, base string
		across     bool
	}{
		{"disk", "", false},
		{"memory", "/dev/shm", false},
		{"memory to disk", "/dev/shm", true},
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
					Sorted: sorted, Target: "t/" + name, Tag: name,
				}
			}
			m := NewMover(Options{})
			b.ResetTimer()
			for _, mv := range moves {
				must(b, m.MoveOrCopy(context.Background(), mv))
			}
			must(b, errors.Join(m.SyncFoldersOf([]File{{moves[0].Root, moves[0].Source}, {sorted, moves[0].Target}})...))
		})
	}
}

// BenchmarkBatch takes documents of 20 kB from a name to lasting, 64 at a time, into
// five folders on a disk; the contents are new. cpu-ns/op is the processor time of
// one. For its system calls: strace -f, and what stands between the looks at
// /begin and /end.
func BenchmarkBatch(b *testing.B) {
	base := b.TempDir()
	root, sorted := filepath.Join(base, "inbox"), filepath.Join(base, "sorted")
	must(b, os.Mkdir(root, 0o755))
	must(b, os.Mkdir(sorted, 0o755))
	content := make([]byte, 20_000)
	sum := sha256.Sum256(content)
	moves := make([]Move, b.N)
	for i := range moves {
		name := fmt.Sprint(i, ".pdf")
		must(b, os.WriteFile(filepath.Join(root, name), content, 0o644))
		id, err := Stat(root, name)
		must(b, err)
		moves[i] = Move{
			Root: root, Source: name, Identity: id, SHA256: sum[:], Sorted: sorted, Target: fmt.Sprint("type", i%5),
			Tag: name,
		}
	}
	m := NewMover(Options{})
	_, _ = os.Stat("/begin")
	var before, after unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &before))
	b.ReportAllocs()
	b.ResetTimer()
	for batch := range slices.Chunk(moves, 64) {
		moveTogether(b, m, batch)
	}
	b.StopTimer()
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &after))
	_, _ = os.Stat("/end")
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/float64(b.N), "cpu-ns/op")
}

// moveTogether moves into the folder that is given as the target.
func moveTogether(b *testing.B, m *Mover, moves []Move) {
	var files []File
	for i := range moves {
		mv := &moves[i]
		must(b, m.MakeFolder(mv.Sorted, mv.Target))
		name, err := FreeName(filepath.Join(mv.Sorted, mv.Target), mv.Source, nil, nil)
		must(b, err)
		mv.Target += "/" + name
		files = append(files, File{mv.Root, mv.Source}, File{mv.Sorted, mv.Target})
	}
	m.SyncContents(moves)
	for _, mv := range moves {
		must(b, m.Do(context.Background(), mv))
	}
	must(b, errors.Join(m.SyncFoldersOf(files)...))
}
