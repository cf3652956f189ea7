package store

import (
	"context"
	"database/sql"
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
// wherever SQLite has to plan. For a bare one it looks at the value, for which
// reason it plans the statement anew at each call, which takes ten times as
// long as the answer.
const selectDocuments = `SELECT d.id, (SELECT path FROM folders WHERE id = d.inbox),
	(SELECT device FROM folders WHERE id = d.inbox), (SELECT inode FROM folders WHERE id = d.inbox), d.source, d.state,
	d.device, d.inode, d.size, d.modified, d.changed, d.sha256, d.content_type,
	d.discovered_at, d.submitted_at, d.identified_at, d.finished_at,
	d.job_id, d.submissions, d.resubmissions, d.attempts, d.spared, d.refusals, d.polls, d.unknown, d.job_open,
	d.retry_at, d.waits_for, d.type, d.confidence, d.alternatives, d.reused,
	d.outcome, (SELECT path FROM folders WHERE id = d.sorted), d.target, d.put_back, d.error
	FROM documents d`

func timeOf(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64)
}

// document reads one record inside a transaction.
func (t *tx) document(id int64, d *Document) error {
	st, err := t.prepared(selectDocuments + " WHERE d.id = ?")
	if err != nil {
		return err
	}
	*d, err = new(columns).document(st.QueryRowContext(context.Background(), id))
	return err
}

// ids reads the first column of every row, outside of a transaction.
func (s *Store) ids(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.reading(err)
	}
	ids, err := scanIDs(rows)
	return ids, s.reading(err)
}

// scanIDs reads rows of one number each, and closes them.
func scanIDs(rows *sql.Rows) (ids []int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// documents reads many records outside of a transaction.
func (s *Store) documents(ctx context.Context, query string, args ...any) ([]Document, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.reading(err)
	}
	defer rows.Close()
	var all []Document
	var c columns
	for rows.Next() {
		doc, err := c.document(rows)
		if err != nil {
			return nil, s.reading(err)
		}
		all = append(all, doc)
	}
	return all, s.reading(rows.Err())
}
