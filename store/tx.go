package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// tx is what a change sees: the open transaction.
type tx struct {
	conn  *sql.Conn
	fault func(op string) error
	known map[any]int64 // what number has found
	now   int64         // Unix milliseconds, one time for all changes of a commit

	documents documentRow
}

func (t *tx) run(query string, args ...any) (sql.Result, error) {
	return t.conn.ExecContext(context.Background(), query, args...)
}

// exec returns how many rows were changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.run(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *tx) do(query string, args ...any) error {
	_, err := t.run(query, args...)
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

// row scans the one row of a query; [sql.ErrNoRows] where there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	return t.conn.QueryRowContext(context.Background(), query, args...).Scan(dest...)
}

// start is row for what a transition needs to know of a document. Its WHERE says
// where it may start from; [ErrStale] where it does not.
func (t *tx) start(id int64, query string, dest ...any) error {
	err := t.row(query, []any{id}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return stale(id)
	}
	return err
}

func (t *tx) document(id int64, d *Document) (err error) {
	*d, err = t.documents.scan(t.conn.QueryRowContext(context.Background(), selectDocuments+" WHERE d.id = ?", id))
	return err
}

// mostNumbers bounds what is remembered. A folder counts as another one whenever
// something else is mounted there.
const mostNumbers = 1000

// number returns the number of a row that it inserts when it is first seen. There
// are few, and each document needs some, so it remembers them.
func (t *tx) number(key any, insert, find string, args ...any) (id int64, err error) {
	if id, ok := t.known[key]; ok {
		return id, nil
	}
	if err = t.do(insert, args...); err == nil {
		err = t.row(find, args, &id)
	}
	if err != nil {
		return 0, err
	}
	if len(t.known) >= mostNumbers {
		clear(t.known)
	}
	t.known[key] = id
	return id, nil
}

func (t *tx) folder(f Folder) (int64, error) {
	return t.number(f, `INSERT OR IGNORE INTO folders (path, device, inode) VALUES (?, ?, ?)`,
		`SELECT id FROM folders WHERE path = ? AND device = ? AND inode = ?`, f.Path, int64(f.Device), int64(f.Inode))
}

func (t *tx) typeNumber(code string) (int64, error) {
	return t.number([2]string{"type", code}, `INSERT OR IGNORE INTO types (code) VALUES (?)`, `SELECT id FROM types WHERE code = ?`, code)
}

func (t *tx) optionSet(options []string) (int64, error) {
	codes, err := encodeOptions(options)
	if err != nil {
		return 0, err
	}
	return t.number([2]string{"options", codes}, `INSERT OR IGNORE INTO option_sets (codes) VALUES (?)`,
		`SELECT id FROM option_sets WHERE codes = ?`, codes)
}

// encodeOptions makes the stored form of a set of type codes, in whatever order
// and however often they are given.
func encodeOptions(options []string) (string, error) {
	b, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(options))))
	return string(b), err
}

// text stores an empty string as NULL.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
