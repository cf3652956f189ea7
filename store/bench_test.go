package store

import (
	"fmt"
	"os"
	"path/filepath"
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
	answer := invoice
	answer.Polls = 3
	err = s.Identified(ctx, d.ID, answer)
	return err
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
			targets[i], ids[i] = Targeted{ID: d.ID, Sorted: "/sorted", Target: "invoice/" + d.Source}, d.ID
		}
		if _, err := s.Target(ctx, targets); err != nil {
			return err
		}
		if err := s.Moved(ctx, ids); err != nil {
			return err
		}
	}
}

// BenchmarkDocument takes documents from admitted to filed; ns/op is that of one.
// The more callers there are, the more changes share a commit. pages/op are those
// that are written to the -wal file.
func BenchmarkDocument(b *testing.B) {
	for _, callers := range []int{1, 16, 128} {
		for _, place := range []string{"disk", "memory"} {
			b.Run(fmt.Sprintf("callers=%d/%s", callers, place), func(b *testing.B) {
				dir := b.TempDir()
				if place == "memory" {
					dir = quickFolder(b)
				}
				s := openAt(b, filepath.Join(dir, "docusort.db"))
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
}

// BenchmarkQuestions asks what is asked for every document, with a backlog.
func BenchmarkQuestions(b *testing.B) {
	const backlog = 10_000
	s := openNew(b)
	var group sync.WaitGroup
	for caller := range 64 {
		group.Go(func() {
			for n := caller; n < backlog; n += 64 {
				a := found(fmt.Sprintf("scan-%d.pdf", n), fmt.Sprint("content ", n))
				if _, err := s.Admit(ctx, a); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	now := time.Now()
	id := found("scan-77.pdf", "content 77").Identity
	for name, ask := range map[string]func() error{
		"Known":   func() error { _, err := s.Known(ctx, "scan-77.pdf", id); return err },
		"Due":     func() error { _, err := s.Due(ctx, PhaseReady, now, 48); return err },
		"NextDue": func() error { _, err := s.NextDue(ctx, PhaseReady, now); return err },
		"Untried": func() error { _, err := s.Untried(ctx, 1); return err },
		"Tried":   func() error { _, err := s.Tried(ctx, 1); return err },
		"Waiting": func() error { _, err := s.Waiting(ctx, 5000, 256); return err },
		"Counts":  func() error { _, err := s.Counts(ctx); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check1(b, ask())
			}
		})
	}
}

// million is a database of n finished documents. It is made by SQL, because as many
// transitions would take a while.
func million(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docusort.db")
	s := must[*Store](t)(Open(ctx, Config{Path: path}))
	seed := identified(t, s, found("seed", "seed"), invoice)
	move(t, s, seed)
	check1(t, s.write(ctx, func(t *tx) error {
		for i := range 20 {
			if _, err := t.typeNumber(fmt.Sprint("type_", i)); err != nil {
				return err
			}
		}
		_, err := t.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
			INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, sha256, content_type,
				discovered_at, submitted_at, identified_at, finished_at, options, job_id, submissions, attempts, polls,
				type, confidence, alternatives, outcome, sorted, target, error)
			SELECT 1, printf('2025/scan-%08d.pdf', i), iif(i % 50 = 0, 'failed', 'filed'), 65024, 1000000 + i,
				100000 + i, 1752096919138000000 + i, 1752096919138000000 + i, randomblob(32), 'application/pdf',
				?2 + i * 1000, ?2 + i * 1000 + 20, ?2 + i * 1000 + 3000, ?2 + i * 1000 + 3000 + abs(random() % 20000),
				1, 'cm5v' || lower(hex(randomblob(10))) || 'a', 1, 1, 3,
				1 + i % 20, 0.5 + (i % 50) / 100.0,
				'[{"code":"invoice","confidence":0.99},{"code":"other","confidence":0.01},{"code":"receipt","confidence":0}]',
				iif(i % 50 = 0, 'failed', 'filed'), 2, printf('type_%d/scan-%08d.pdf', i % 20, i),
				iif(i % 50 = 0, 'the service answered ' || (i % 7), NULL)
			FROM n`, n, time.Now().UnixMilli()-int64(n)*1000)
		return err
	}))
	check1(t, s.Close())
	return path
}

// BenchmarkReport reads a record of many finished documents; DESIGN names the times
// for a million.
func BenchmarkReport(b *testing.B) {
	r := must[*Reader](b)(OpenReader(ctx, million(b, 100_000)))
	defer r.Close()
	var bounds []time.Time
	for i := range 61 {
		bounds = append(bounds, time.Now().Add(time.Duration(i-60)*30*time.Minute))
	}
	for name, ask := range map[string]func() error{
		"Summary":   func() error { _, err := r.Summary(ctx, Filter{}); return err },
		"Series":    func() error { _, err := r.Series(ctx, Filter{}, bounds); return err },
		"Progress":  func() error { _, err := r.Progress(ctx, time.Now()); return err },
		"Last":      func() error { _, err := r.Last(ctx, false, 100); return err },
		"Documents": func() error { return r.Documents(ctx, Filter{}, func(*Document) error { return nil }) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				check1(b, ask())
			}
		})
	}
}
