package store

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// million is a database of so many finished documents as a long life brings.
// It is made by SQL, because a million transitions would take a while.
func million(t *testing.T, n int) string {
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

// How long things take with a million documents, for who wants to know:
// DOCUSORT_STORE_LONG=1 go test -run Million -v
func TestMillion(t *testing.T) {
	if os.Getenv("DOCUSORT_STORE_LONG") == "" {
		t.Skip("takes a minute; set DOCUSORT_STORE_LONG to run it")
	}
	const n = 1_000_000
	path := million(t, n)
	size := must[os.FileInfo](t)(os.Stat(path)).Size()
	if wal, err := os.Stat(path + "-wal"); err == nil {
		t.Logf("-wal: %d MB", wal.Size()>>20)
	}
	t.Logf("%d bytes a document", size/n)
	timed := func(what string, f func() error) {
		begun, worked := time.Now(), cpuTime(t)
		check1(t, f())
		t.Logf("%-16s %8v, %8v of them at work", what,
			time.Since(begun).Round(time.Millisecond), (cpuTime(t) - worked).Round(time.Millisecond))
	}
	var s *Store
	timed("open", func() (err error) { s, err = Open(ctx, Config{Path: path}); return err })
	defer s.Close()
	timed("admit", func() error { _, err := s.Admit(ctx, found("new", "new")); return err })
	var r *Reader
	timed("open reader", func() (err error) { r, err = OpenReader(ctx, path); return err })
	defer r.Close()
	timed("finished", func() error { return r.finished(ctx, Filter{}, &Summary{Totals: map[State]int{}}) })
	timed("failures", func() error { return r.failures(ctx, Filter{}, new(Summary)) })
	timed("troubles", func() error { return r.troubles(ctx, Filter{}, new(Summary)) })
	timed("summary", func() error { _, err := r.Summary(ctx, Filter{}); return err })
	timed("summary, a day", func() error {
		_, err := r.Summary(ctx, Filter{Since: time.Now().Add(-24 * time.Hour)})
		return err
	})
	timed("summary, a year", func() error {
		_, err := r.Summary(ctx, Filter{Since: time.Now().Add(-365 * 24 * time.Hour)})
		return err
	})
	timed("series", func() error {
		first, err := r.FirstFinished(ctx)
		bounds, step := []time.Time{first}, time.Since(first)/60
		for range 60 {
			bounds = append(bounds, bounds[len(bounds)-1].Add(step))
		}
		check1(t, err)
		_, err = r.Series(ctx, Filter{}, bounds)
		return err
	})
	timed("all types", func() error { _, err := r.Types(ctx); return err })
	timed("progress", func() error { _, err := r.Progress(ctx, time.Now()); return err })
	timed("last", func() error { _, err := r.Last(ctx, false, 100); return err })
	timed("documents", func() error { return r.Documents(ctx, Filter{}, func(*Document) error { return nil }) })
}

// cpuTime is what this process used of the processors, which says more than the
// clock on a busy machine.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	check1(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
