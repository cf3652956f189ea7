package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// unfinished is the condition of the indexes over unfinished documents. SQLite
// uses them only where a query has it, and does not see by itself that one of
// the states implies it.
const unfinished = `finished_at IS NULL`

// inInbox is that of the index over those whose file lies in the inbox.
const inInbox = unfinished + ` AND stays_at IS NULL`

// selectDocuments reads what [documentRow] takes. The folders are looked up
// rather than joined: a statement over one table by its key needs no planning.
//
// Here and elsewhere a parameter that is compared, or limits, is written +?
// wherever SQLite has to plan. For a bare one it looks at the value, and so plans
// the statement anew at each call, which takes ten times as long as the answer.
const selectDocuments = `SELECT d.id, (SELECT path FROM folders WHERE id = d.inbox),
	(SELECT device FROM folders WHERE id = d.inbox), (SELECT inode FROM folders WHERE id = d.inbox), d.source, d.state, d.phase,
	d.device, d.inode, d.size, d.modified, d.changed, d.sha256, d.content_type,
	d.discovered_at, d.submitted_at, d.identified_at, d.finished_at,
	d.job_id, d.submissions, d.resubmissions, d.attempts, d.failures, d.polls,
	d.outcome_unknown, d.job_abandoned = 1, d.job_abandoned = 2,
	d.retry_at, (SELECT code FROM types WHERE id = d.type), d.confidence, d.alternatives, d.reused, d.decided_at,
	d.outcome, (SELECT path FROM folders WHERE id = d.sorted), d.target, d.stays_at, d.put_back, d.error
	FROM documents d`

// questions is what both sides read with: the daemon from a pool of connections, a
// [Reader] in its one transaction.
type questions struct {
	from interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
	result func(error) error // the error of an answer, made from SQLite's, which may be nil
}

type scanner interface{ Scan(dest ...any) error }

// each calls f for every row of a query, until f returns an error or ctx ends. It looks
// for that end by itself: to have the driver watch for it costs each query a goroutine.
func (q *questions) each(ctx context.Context, f func(scanner) error, query string, args ...any) error {
	if ctx.Err() != nil {
		return q.result(context.Cause(ctx))
	}
	rows, err := q.from.QueryContext(context.WithoutCancel(ctx), query, args...)
	if err != nil {
		return q.result(err)
	}
	defer rows.Close()
	for rows.Next() {
		if ctx.Err() != nil {
			return q.result(context.Cause(ctx))
		}
		if err := f(rows); err != nil {
			return err
		}
	}
	return q.result(rows.Err())
}

// list reads every row of a query.
func list[T any](ctx context.Context, q *questions, scan func(scanner) (T, error), query string, args ...any) (all []T, err error) {
	err = q.each(ctx, func(row scanner) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	}, query, args...)
	return all, err
}

// only reads a row of one column.
func only[T any](row scanner) (value T, err error) {
	err = row.Scan(&value)
	return value, err
}

func (q *questions) documents(ctx context.Context, query string, args ...any) ([]Document, error) {
	return list(ctx, q, new(documentRow).scan, query, args...)
}

// row reads the one row of a query; [sql.ErrNoRows] where there is none.
func (q *questions) row(ctx context.Context, query string, args []any, dest ...any) error {
	err := sql.ErrNoRows
	if failed := q.each(ctx, func(row scanner) error { err = row.Scan(dest...); return nil }, query, args...); failed != nil {
		return failed
	}
	if errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return q.result(err)
}

// time reads one time; NULL is the zero time.
func (q *questions) time(ctx context.Context, query string, args ...any) (time.Time, error) {
	var at time.Time
	err := q.row(ctx, query, args, fields(&at)...)
	return at, err
}

// KnowsFolder reports whether documents came from, or went to, a folder at a path.
func (q *questions) KnowsFolder(ctx context.Context, path string) (known bool, err error) {
	err = q.row(ctx, `SELECT EXISTS (SELECT 1 FROM folders WHERE path = ?)`, []any{path}, &known)
	return known, err
}

// countUnfinished counts unfinished documents by state, and reads what more is
// asked of them. Mostly they wait: the others are looked up in the index.
func (q *questions) countUnfinished(ctx context.Context, more string, args []any, dest ...any) (map[State]int, error) {
	const others = `(SELECT count(*) FROM documents WHERE ` + unfinished + ` AND phase = `
	var all, submitting, pending, identified int
	err := q.row(ctx, `SELECT count(*), `+others+`'submit'), `+others+`'poll'), `+others+`'file' AND state = 'identified')`+more+`
		FROM documents WHERE `+unfinished, args, append([]any{&all, &submitting, &pending, &identified}, dest...)...)
	return map[State]int{
		Waiting: all - submitting - pending - identified, Submitting: submitting, Pending: pending, Identified: identified,
	}, err
}

// millis stores the zero time as NULL.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// documentRow reads rows of [selectDocuments], one after another.
type documentRow struct {
	Document
	columns []any
}

func (r *documentRow) scan(row scanner) (Document, error) {
	if r.columns == nil {
		r.columns = fields(
			&r.ID, &r.Inbox.Path, &r.Inbox.Device, &r.Inbox.Inode, &r.Source, (*string)(&r.State), (*string)(&r.Phase),
			&r.Identity.Device, &r.Identity.Inode, &r.Identity.Size, &r.Identity.ModTime, &r.Identity.ChangeTime,
			&r.SHA256, &r.ContentType,
			&r.DiscoveredAt, &r.SubmittedAt, &r.IdentifiedAt, &r.FinishedAt,
			&r.JobID, &r.Submissions, &r.Resubmissions, &r.Attempts, &r.Failures, &r.Polls,
			&r.OutcomeUnknown, &r.JobAbandoned, &r.AskedAgain,
			&r.RetryAt, &r.Type, &r.Confidence, &r.Alternatives, &r.Reused, &r.DecidedAt,
			(*string)(&r.Outcome), &r.Sorted, &r.Target, &r.StaysAt, &r.PutBack, &r.Error,
		)
	}
	r.Document = Document{}
	err := row.Scan(r.columns...)
	return r.Document, err
}

// fields makes what scans into these fields. NULL is the zero value of one. An
// unsigned number has the bits of a signed one, as SQLite has no others. The tables
// are STRICT, so that a value is of the kind of its column.
func fields(all ...any) []any {
	columns := make([]column, len(all))
	for i, field := range all {
		columns[i].field = field
		all[i] = &columns[i]
	}
	return all
}

type column struct{ field any }

func (c *column) Scan(value any) error {
	number, _ := value.(int64)
	switch field := c.field.(type) {
	case *int64:
		*field = number
	case *int:
		*field = int(number)
	case *uint64:
		*field = uint64(number)
	case *bool:
		*field = number != 0
	case *time.Time:
		if value != nil {
			*field = time.UnixMilli(number)
		}
	case *float64:
		*field, _ = value.(float64)
	case *string:
		*field, _ = value.(string)
	case *[]byte:
		*field, _ = value.([]byte)
		*field = bytes.Clone(*field)
	case *json.RawMessage:
		if text, ok := value.(string); ok {
			*field = json.RawMessage(text)
		}
	}
	return nil
}
