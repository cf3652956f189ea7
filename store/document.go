package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// unfinished is the condition of the indexes over unfinished documents. SQLite
// uses them only where a query has it, and does not see by itself that one of
// the states implies it.
const unfinished = `finished_at IS NULL`

// selectDocuments reads what [columns.document] takes. The folders are looked up
// rather than joined: a statement over one table by its key needs no planning.
//
// Here and elsewhere a parameter that is compared, or limits, is written +?
// wherever SQLite has to plan. For a bare one it looks at the value, and so plans
// the statement anew at each call, which takes ten times as long as the answer.
const selectDocuments = `SELECT d.id, (SELECT path FROM folders WHERE id = d.inbox),
	(SELECT device FROM folders WHERE id = d.inbox), (SELECT inode FROM folders WHERE id = d.inbox), d.source, d.state, d.phase,
	d.device, d.inode, d.size, d.modified, d.changed, d.sha256, d.content_type,
	d.discovered_at, d.submitted_at, d.identified_at, d.finished_at,
	d.job_id, d.submissions, d.resubmissions, d.attempts, d.attempts_before_retry, d.failures, d.polls,
	d.outcome_unknown, d.job_abandoned = 1, d.job_abandoned = 2,
	d.retry_at, (SELECT code FROM types WHERE id = d.type), d.confidence, d.alternatives, d.reused,
	d.outcome, (SELECT path FROM folders WHERE id = d.sorted), d.target, d.put_back, d.error
	FROM documents d`

// documents reads documents outside of a transaction.
func (s *Store) documents(ctx context.Context, query string, args ...any) ([]Document, error) {
	return readAll(ctx, s, new(columns).document, query, args...)
}

// readAll reads every row of a query outside of a transaction.
func readAll[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.reading(err)
	}
	all, err := collect(rows, scan)
	return all, s.reading(err)
}

// readOne reads the one row of a query outside of a transaction; [sql.ErrNoRows]
// where there is none.
func (s *Store) readOne(ctx context.Context, dest any, query string, args ...any) error {
	return s.reading(s.read.QueryRowContext(ctx, query, args...).Scan(dest))
}

// readTime is readOne for a time; NULL is the zero time.
func (s *Store) readTime(ctx context.Context, query string, args ...any) (time.Time, error) {
	var at sql.NullInt64
	err := s.readOne(ctx, &at, query, args...)
	return timeOf(at), err
}

// reading says which database could not be read.
func (s *Store) reading(err error) error {
	if err == nil {
		err = s.fault("read")
	}
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return s.noteDamage(fmt.Errorf("read database %s: %w", s.path, unusable(s.path, err)))
}

// collect reads rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) (all []T, err error) {
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// transition makes a change and returns the document as it is then.
func (s *Store) transition(ctx context.Context, id int64, run func(*tx) error) (doc Document, err error) {
	err = s.write(ctx, func(t *tx) error {
		doc = Document{}
		if err := run(t); err != nil {
			return err
		}
		return t.document(id, &doc)
	})
	return doc, err
}

// document reads one row inside a transaction.
func (t *tx) document(id int64, d *Document) error {
	st, err := t.prepared(selectDocuments + " WHERE d.id = ?")
	if err != nil {
		return err
	}
	*d, err = t.columns.document(st.QueryRowContext(context.Background(), id))
	return err
}

// change runs an update of one document whose WHERE says where it may start
// from; [ErrStale] where it does not.
func (t *tx) change(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		err = stale(args[0])
	}
	return err
}

func stale(id any) error { return fmt.Errorf("document %d: %w", id, ErrStale) }

// staleIfNone makes [ErrStale] of a query that found no row to start from.
func staleIfNone(id int64, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return stale(id)
	}
	return err
}

func timeOf(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64)
}

// millis stores the zero time as NULL.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
