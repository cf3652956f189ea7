package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// unfinished is the condition of the indexes over unfinished documents. SQLite
// uses them only where a query has it, and does not see by itself that one of
// the states implies it.
const unfinished = `finished_at IS NULL`

// selectDocuments reads what [Document.scan] takes. The folders are looked up
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

type scanner interface{ Scan(dest ...any) error }

// scan reads one row of [selectDocuments].
func (d *Document) scan(row scanner) error {
	*d = Document{}
	var inboxDevice, inboxInode, device, inode int64
	var discovered int64
	var submitted, identified, finished, retry, waitsFor sql.NullInt64
	var contentType, job, kind, alternatives, outcome, sorted, target, putBack, failure sql.NullString
	var confidence sql.NullFloat64
	err := row.Scan(&d.ID, &d.Inbox.Path, &inboxDevice, &inboxInode, &d.Source, (*string)(&d.State),
		&device, &inode, &d.Identity.Size, &d.Identity.ModTime, &d.Identity.ChangeTime, &d.SHA256, &contentType,
		&discovered, &submitted, &identified, &finished,
		&job, &d.Submissions, &d.Resubmissions, &d.Attempts, &d.Spared, &d.Refusals, &d.Polls, &d.Unknown, &d.JobOpen,
		&retry, &waitsFor, &kind, &confidence, &alternatives, &d.Reused,
		&outcome, &sorted, &target, &putBack, &failure)
	if err != nil {
		return err
	}
	// SQLite has signed integers only; the bits are kept.
	d.Inbox.Device, d.Inbox.Inode = uint64(inboxDevice), uint64(inboxInode)
	d.Identity.Device, d.Identity.Inode = uint64(device), uint64(inode)
	d.DiscoveredAt = time.UnixMilli(discovered)
	d.SubmittedAt, d.IdentifiedAt = timeOf(submitted), timeOf(identified)
	d.FinishedAt, d.RetryAt = timeOf(finished), timeOf(retry)
	d.WaitsFor = waitsFor.Int64
	d.ContentType, d.JobID, d.Type = contentType.String, job.String, kind.String
	d.Confidence = confidence.Float64
	if alternatives.Valid {
		d.Alternatives = json.RawMessage(alternatives.String)
	}
	d.PutBack = putBack.String
	d.Outcome, d.Sorted, d.Target, d.Error = State(outcome.String), sorted.String, target.String, failure.String
	return nil
}

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
	return d.scan(st.QueryRowContext(context.Background(), id))
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
	for rows.Next() {
		all = append(all, Document{})
		if err := all[len(all)-1].scan(rows); err != nil {
			return nil, s.reading(err)
		}
	}
	return all, s.reading(rows.Err())
}
