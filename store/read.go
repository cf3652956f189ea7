package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
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

// questions is what both sides read with: the daemon from a pool of connections, a
// [Reader] in its one transaction.
type questions struct {
	from interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}
	result func(error) error // the error of an answer, made from SQLite's, which may be nil
}

type scanner interface{ Scan(dest ...any) error }

// each calls f for every row of a query, until f returns an error.
func (q *questions) each(ctx context.Context, f func(scanner) error, query string, args ...any) error {
	rows, err := q.from.QueryContext(ctx, query, args...)
	if err != nil {
		return q.result(err)
	}
	defer rows.Close()
	for rows.Next() {
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

func (q *questions) documents(ctx context.Context, query string, args ...any) ([]Document, error) {
	return list(ctx, q, new(columns).document, query, args...)
}

// row reads the one row of a query; [sql.ErrNoRows] where there is none.
func (q *questions) row(ctx context.Context, query string, args []any, dest ...any) error {
	err := q.from.QueryRowContext(ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return cmp.Or(q.result(nil), err)
	}
	return q.result(err)
}

// time reads one time; NULL is the zero time.
func (q *questions) time(ctx context.Context, query string, args ...any) (time.Time, error) {
	var at sql.NullInt64
	err := q.row(ctx, query, args, &at)
	return timeOf(at), err
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

// columns reads rows of [selectDocuments], one column after another. NULL is the
// zero value. The conversions of database/sql would make a row half as expensive
// again. A columns can be used for many rows.
type columns struct {
	values [38]any
	dest   [38]any // pointers to values
	next   int
	err    error // the first value of another kind than it should be
}

func (c *columns) document(row scanner) (Document, error) {
	for i := range c.dest {
		c.dest[i] = &c.values[i]
	}
	c.next, c.err = 0, nil
	if err := row.Scan(c.dest[:]...); err != nil {
		return Document{}, err
	}
	d := Document{
		ID:     c.integer(),
		Inbox:  Folder{Path: c.text(), Device: c.bits(), Inode: c.bits()},
		Source: c.text(),
		State:  State(c.text()), Phase: Phase(c.text()),
		Identity:    Identity{Device: c.bits(), Inode: c.bits(), Size: c.integer(), ModTime: c.integer(), ChangeTime: c.integer()},
		SHA256:      column[[]byte](c),
		ContentType: c.text(),

		DiscoveredAt: c.time(), SubmittedAt: c.time(), IdentifiedAt: c.time(), FinishedAt: c.time(),

		JobID:       c.text(),
		Submissions: c.count(), Resubmissions: c.count(), Attempts: c.count(), AttemptsBeforeRetry: c.count(),
		Failures: c.count(), Polls: c.count(), OutcomeUnknown: c.flag(),
		JobAbandoned: c.flag(), AskedAgain: c.flag(), RetryAt: c.time(),

		Type: c.text(), Confidence: column[float64](c), Alternatives: c.json(), Reused: c.flag(),

		Outcome: State(c.text()), Sorted: c.text(), Target: c.text(), PutBack: c.text(), Error: c.text(),
	}
	return d, c.err
}

// column returns the next one.
func column[T any](c *columns) (value T) {
	from := c.values[c.next]
	c.next++
	value, ok := from.(T)
	if !ok && from != nil && c.err == nil {
		c.err = fmt.Errorf("column %d of a document is a %T, not a %T", c.next, from, value)
	}
	return value
}

func (c *columns) integer() int64 { return column[int64](c) }
func (c *columns) count() int     { return int(column[int64](c)) }
func (c *columns) flag() bool     { return column[int64](c) != 0 }
func (c *columns) text() string   { return column[string](c) }

// bits are those of an unsigned number: SQLite has signed ones only.
func (c *columns) bits() uint64 { return uint64(column[int64](c)) }

func (c *columns) json() json.RawMessage {
	if text := c.text(); text != "" {
		return json.RawMessage(text)
	}
	return nil
}

func (c *columns) time() time.Time {
	isNull := c.values[c.next] == nil
	ms := column[int64](c)
	if isNull {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
