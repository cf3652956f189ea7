package main

import (
	"context"
	"database/sql"
	"net/url"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// record looks at docusort's database as anybody may.
type record struct{ *sql.DB }

func openRecord(path string) (record, error) {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_busy_timeout=5000")
	return record{db}, err
}

// idle says whether no document is under way.
func (r record) idle(ctx context.Context) (idle bool, err error) {
	err = r.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM documents
		WHERE state IN ('waiting', 'submitting', 'pending', 'identified'))`).Scan(&idle)
	return idle, err
}

// lastFiled returns when the last document was filed, to the millisecond.
func (r record) lastFiled(ctx context.Context) (time.Time, error) {
	var ms int64
	err := r.QueryRowContext(ctx, `SELECT coalesce(max(finished_at), 0) FROM documents`).Scan(&ms)
	return time.UnixMilli(ms), err
}

// finished returns when the document of each job was filed.
func (r record) finished(ctx context.Context) (map[string]time.Time, error) {
	rows, err := r.QueryContext(ctx, `SELECT job_id, finished_at FROM documents WHERE state = 'filed' AND job_id IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make(map[string]time.Time)
	for rows.Next() {
		var id string
		var ms int64
		if err := rows.Scan(&id, &ms); err != nil {
			return nil, err
		}
		all[id] = time.UnixMilli(ms)
	}
	return all, rows.Err()
}

// documents returns how many there are.
func (r record) documents(ctx context.Context) (n int, err error) {
	err = r.QueryRowContext(ctx, `SELECT count(*) FROM documents`).Scan(&n)
	return n, err
}
