package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// fillRecord writes documents that were finished long ago, a second apart, as
// years of work leave them. Most are filed, one in fifty failed. Their jobs took next
// to no time, so that the daemon expects the same of those to come.
const fillRecord = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
	INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, sha256, content_type,
		discovered_at, submitted_at, identified_at, finished_at, options, job_id, submissions, attempts, polls,
		type, confidence, alternatives, outcome, sorted, target, error)
	SELECT 1, printf('2025/scan-%08d.pdf', i), iif(i % 50 = 0, 'failed', 'filed'), 65024, 1000000 + i,
		100000 + i, 1752096919138000000 + i, 1752096919138000000 + i, randomblob(32), 'application/pdf',
		?2 + i * 1000, ?2 + i * 1000 + 20, ?2 + i * 1000 + 25, ?2 + i * 1000 + 3000 + abs(random() % 20000),
		1, 'cm5v' || lower(hex(randomblob(10))) || 'a', 1, 1, 3,
		'type_' || (i % 20), 0.5 + (i % 50) / 100.0,
		'[{"code":"invoice","confidence":0.98},{"code":"receipt","confidence":0.02}]',
		iif(i % 50 = 0, 'failed', 'filed'), 2, printf('type_%d/scan-%08d.pdf', i % 20, i),
		iif(i % 50 = 0, 'the service answered ' || (i % 7), NULL)
	FROM n`

// largeRecord returns a site with a record of so many documents. It is made once,
// by SQL, as so many transitions would take a while.
func (b *bench) largeRecord(ctx context.Context) (*site, error) {
	if b.large != "" {
		return siteAt(b.large), nil
	}
	n := b.options.million
	b.say("  making a record of %d documents", n)
	s, err := b.newSite()
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Config{Path: s.database})
	if err != nil {
		return nil, err
	}
	if err := st.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: s.database}).EscapedPath()+"?_synchronous=OFF&_foreign_keys=on")
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `INSERT INTO folders (id, path) VALUES (1, ?), (2, ?)`, s.inbox, s.sorted)
	if err == nil {
		_, err = db.ExecContext(ctx, `INSERT INTO option_sets (id, codes) VALUES (1, '["invoice","receipt"]')`)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, fillRecord, n, time.Now().UnixMilli()-int64(n)*1000-24*time.Hour.Milliseconds())
	}
	if err == nil {
		_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	settle()
	b.large = s.home
	return s, nil
}

// measureReport: who asks is answered at once, however long it has run.
func measureReport(ctx context.Context, b *bench) error {
	s, err := b.largeRecord(ctx)
	if err != nil {
		return err
	}
	for _, format := range []string{"table", "json"} {
		var took []float64
		for range pick(b, 7, 3) {
			cmd := exec.CommandContext(ctx, b.options.docusort, "report", "--config", s.config(), "--format", format)
			cmd.Env = []string{"DOCUSORT_HOME=" + s.home}
			began := time.Now()
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("docusort report: %w\n%s", err, out)
			}
			took = append(took, time.Since(began).Seconds())
		}
		b.report("docusort report, "+format, "< 1 s", "s", took, fmt.Sprintf("%d documents", b.options.million))
	}
	size := 0.0
	for _, name := range []string{s.database, s.database + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			size += float64(info.Size())
		}
	}
	b.report("size of the record", "< 600", "bytes/document", []float64{size / float64(b.options.million)}, "with its indexes")
	return nil
}

// measurePrune: documents flow while what is too old leaves the record. What they
// wait for is the commits between the POST and the filing.
func measurePrune(ctx context.Context, b *bench) error {
	s, err := b.largeRecord(ctx)
	if err != nil {
		return err
	}
	documents := pick(b, 300, 100)
	keep := []string{"DOCUSORT_SETTLE=200ms", "DOCUSORT_POLL_MIN=10ms"}
	plain, _, err := b.trickle(ctx, s, 0, documents, keep...)
	if err != nil {
		return err
	}
	pruning, left, err := b.trickle(ctx, s, documents, documents, append(keep, "DOCUSORT_KEEP_HISTORY=12h")...)
	if err != nil {
		return err
	}
	b.report("POST to filed, history kept", "", "ms", plain, "the most counts")
	if left == b.options.million+2*documents {
		b.say("  this docusort does not delete history: not measured")
		return nil
	}
	b.report("POST to filed, history deleted", "as before", "ms", pruning,
		fmt.Sprintf("%d of %d documents were deleted meanwhile", b.options.million+2*documents-left, b.options.million))
	return nil
}

// trickle drops documents one by one, numbered from first, and returns how long
// each took from its POST until it was filed, and how many the record has then.
func (b *bench) trickle(ctx context.Context, s *site, first, n int, settings ...string) (took []float64, left int, err error) {
	service, err := b.startStandIn(ctx)
	if err != nil {
		return nil, 0, err
	}
	d, err := b.startDaemon(ctx, s, service, settings...)
	if err != nil {
		return nil, 0, err
	}
	for i := range n {
		name := fmt.Sprintf("trickle-%d.pdf", first+i)
		if err := writeDocument(filepath.Join(s.inbox, name), first+i, 20_000); err != nil {
			return nil, 0, err
		}
		if err := pauseFor(ctx, 100*time.Millisecond); err != nil {
			return nil, 0, err
		}
	}
	if _, err := d.finish(ctx, n, first); err != nil {
		return nil, 0, err
	}
	jobs, err := service.jobs(ctx)
	if err != nil {
		return nil, 0, err
	}
	rec, err := openRecord(s.database)
	if err != nil {
		return nil, 0, err
	}
	took, err = sinceArrival(ctx, rec, jobs)
	if err == nil {
		left, err = rec.documents(ctx)
	}
	return took, left, errors.Join(err, rec.Close(), service.stop())
}

// sinceArrival returns in milliseconds how long after its POST each document was filed.
func sinceArrival(ctx context.Context, rec record, jobs []docutraytest.JobTimes) (took []float64, err error) {
	filed, err := rec.finished(ctx)
	for _, j := range jobs {
		took = append(took, filed[j.ID].Sub(j.Arrived).Seconds()*1000)
	}
	return took, err
}
