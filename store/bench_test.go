package store

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// take goes through all transitions of an ordinary document.
func take(s *Store, n int64) error {
	a := found(fmt.Sprintf("scan-%d.pdf", n), fmt.Sprint("content ", n))
	a.Identity.Inode = uint64(n)
	d, err := s.Admit(ctx, a)
	if err != nil {
		return err
	}
	if _, err := s.Submitting(ctx, d.ID, request); err != nil {
		return err
	}
	if err := s.Accepted(ctx, d.ID, fmt.Sprintf("cm5vm9hx30001m5cgh0p%d", n)); err != nil {
		return err
	}
	return s.Identified(ctx, d.ID, invoice)
}

// fileAway moves all that can be moved, as the filer does it: many at a time.
func fileAway(s *Store) error {
	for {
		docs, err := s.Due(ctx, PhaseFile, time.Now(), 256)
		if err != nil || len(docs) == 0 {
			return err
		}
		targets, ids := make([]Targeted, len(docs)), make([]int64, len(docs))
		for i, d := range docs {
			targets[i], ids[i] = Targeted{ID: d.ID, Sorted: Folder{Path: "/sorted"}, Target: "invoice/" + d.Source}, d.ID
		}
		if _, err := s.Target(ctx, targets); err != nil {
			return err
		}
		if _, err := s.Moved(ctx, ids); err != nil {
			return err
		}
	}
}

// BenchmarkDocument takes documents from admitted to filed; ns/op is that of one.
// The more callers there are, the more changes share a commit. pages/op are those
// that are written to the -wal file.
func BenchmarkDocument(b *testing.B) {
	for _, callers := range []int{1, 16, 128} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := openNew(b)
			check1(b, s.do(ctx, "PRAGMA wal_autocheckpoint = 0"))
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var group sync.WaitGroup
			for range callers {
				group.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if err := take(s, n); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			check1(b, fileAway(s))
			wal := must[os.FileInfo](b)(os.Stat(s.path + "-wal")).Size()
			b.ReportMetric(float64(wal)/(4096+24)/float64(b.N), "pages/op")
		})
	}
}
