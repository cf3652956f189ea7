package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What the daemon asks the record, in the order in which a document meets it.
// The record is the queue: only what is being worked on is in memory.

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

// Known says whether a file of the inbox, in exactly this shape, has a record
// that goes on without the file being looked at again.
func (s *Store) Known(ctx context.Context, source string, id Identity) (bool, error) {
	var known bool
	err := s.read.QueryRowContext(ctx, `SELECT device = ? AND inode = ? AND size = ? AND modified = ? AND changed = ?
			AND (sha256 IS NOT NULL OR outcome IS NOT NULL) AND put_back IS NULL
		FROM documents WHERE source = +? AND `+unfinished,
		int64(id.Device), int64(id.Inode), id.Size, id.ModTime, id.ChangeTime, source).Scan(&known)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return known, s.reading(err)
}

// Document returns one record; [sql.ErrNoRows] where there is none.
func (s *Store) Document(ctx context.Context, id int64) (Document, error) {
	d, err := new(columns).document(s.read.QueryRowContext(ctx, selectDocuments+" WHERE d.id = ?", id))
	return d, s.reading(err)
}

const submittable = `d.state = 'waiting' AND d.outcome IS NULL AND d.waits_for IS NULL AND d.sha256 IS NOT NULL AND d.put_back IS NULL`

// Submittable returns the ids of up to limit documents that may be submitted now:
// new ones in order of arrival, then those whose pause is over, the longest first.
func (s *Store) Submittable(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	fresh, err := s.ids(ctx, `SELECT d.id FROM documents d WHERE `+submittable+
		` AND d.retry_at IS NULL ORDER BY d.id LIMIT +?`, limit)
	if err != nil || len(fresh) == limit {
		return fresh, err
	}
	again, err := s.ids(ctx, `SELECT d.id FROM documents d WHERE `+submittable+
		` AND d.retry_at <= +? ORDER BY d.retry_at, d.id LIMIT +?`, now.UnixMilli(), limit-len(fresh))
	return append(fresh, again...), err
}

// Queued is a document of the queue, as it is when it is taken from it.
type Queued struct {
	Document
	// Unheard says that nothing but this is known of its content, and that it was
	// never submitted: no job was ever made for it.
	Unheard bool
}

// Queued reads documents by their ids, in this order; those that there are not are
// left out.
func (s *Store) Queued(ctx context.Context, ids []int64) ([]Queued, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	docs, err := s.documents(ctx, selectDocuments+` WHERE d.id IN (SELECT value FROM json_each(?))`, string(list))
	if err != nil {
		return nil, err
	}
	unheard, err := s.ids(ctx, `SELECT d.id FROM documents d WHERE d.id IN (SELECT value FROM json_each(?))
		AND d.submissions = 0 AND d.attempts = 0
		AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.sha256 = d.sha256 AND o.id <> d.id)`, string(list))
	if err != nil {
		return nil, err
	}
	queued := make([]Queued, 0, len(docs))
	for _, id := range ids {
		if i := slices.IndexFunc(docs, func(d Document) bool { return d.ID == id }); i >= 0 {
			queued = append(queued, Queued{docs[i], slices.Contains(unheard, id)})
		}
	}
	return queued, nil
}

// NextRetry returns when the next pause after now ends; zero where none does.
func (s *Store) NextRetry(ctx context.Context, now time.Time) (time.Time, error) {
	var at sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT min(d.retry_at) FROM documents d WHERE `+submittable+
		` AND d.retry_at > +?`, now.UnixMilli()).Scan(&at)
	return timeOf(at), s.reading(err)
}

// Pending returns every document whose job is under way, oldest submission
// first. There are no more than the limit of jobs in flight.
func (s *Store) Pending(ctx context.Context) ([]Document, error) {
	return s.documents(ctx, selectDocuments+` WHERE d.state = 'pending' ORDER BY d.submitted_at, d.id`)
}

// Movable returns up to limit documents with an id above after whose outcome is
// decided, in the order of their ids.
func (s *Store) Movable(ctx context.Context, after int64, limit int) ([]Document, error) {
	return s.documents(ctx, selectDocuments+
		` WHERE d.outcome IS NOT NULL AND d.finished_at IS NULL AND d.id > +? ORDER BY d.id LIMIT +?`, after, limit)
}

// Waiting returns up to limit waiting documents without an outcome and with an
// id above after, in the order of their ids.
func (s *Store) Waiting(ctx context.Context, after int64, limit int) ([]Document, error) {
	return s.documents(ctx, selectDocuments+
		` WHERE d.state = 'waiting' AND d.outcome IS NULL AND d.id > +? AND `+unfinished+` ORDER BY d.id LIMIT +?`, after, limit)
}

// Counts returns how many documents are in each state that is not finished.
func (s *Store) Counts(ctx context.Context) (map[State]int, error) {
	return s.count(ctx, `SELECT state, count(*) FROM documents WHERE `+unfinished+` GROUP BY state`)
}

// count reads states and numbers.
func (s *Store) count(ctx context.Context, query string, args ...any) (map[State]int, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.reading(err)
	}
	defer rows.Close()
	counts := make(map[State]int)
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan((*string)(&state), &n); err != nil {
			return nil, s.reading(err)
		}
		counts[state] = n
	}
	return counts, s.reading(rows.Err())
}

// Stuck returns how many unfinished documents nothing will be done about before
// a time: those that are blocked, those that wait out a longer pause, those that
// wait for one of these, and those that could not be moved.
func (s *Store) Stuck(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `WITH stuck AS MATERIALIZED (
			SELECT id FROM documents WHERE `+unfinished+`
			   AND ((state = 'waiting' AND outcome IS NULL AND (sha256 IS NULL OR put_back IS NOT NULL OR retry_at > ?))
			     OR (state = 'identified' AND error IS NOT NULL)))
		SELECT count(*) FROM documents WHERE `+unfinished+`
		   AND (id IN (SELECT id FROM stuck) OR waits_for IN (SELECT id FROM stuck))`, before.UnixMilli()).Scan(&n)
	return n, s.reading(err)
}

// Finished returns how many documents ended in each state at or after a time.
func (s *Store) Finished(ctx context.Context, since time.Time) (map[State]int, error) {
	return s.count(ctx, `SELECT state, count(*) FROM documents INDEXED BY documents_finished
		WHERE finished_at >= ? GROUP BY state`, since.UnixMilli())
}

// KnowsFolder says whether documents came from, or went to, a folder at a path.
func (s *Store) KnowsFolder(ctx context.Context, path string) (known bool, err error) {
	err = s.read.QueryRowContext(ctx, knowsFolder, path).Scan(&known)
	return known, s.reading(err)
}

// JobTimes returns how long the newest jobs took, from their submission until
// their answer was stored, newest last.
func (s *Store) JobTimes(ctx context.Context, n int) ([]time.Duration, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT identified_at - submitted_at FROM
			(SELECT id, identified_at, submitted_at FROM documents ORDER BY id DESC LIMIT ?1)
		WHERE identified_at >= submitted_at ORDER BY id`, n)
	if err != nil {
		return nil, s.reading(err)
	}
	defer rows.Close()
	var took []time.Duration
	for rows.Next() {
		var ms int64
		if err := rows.Scan(&ms); err != nil {
			return nil, s.reading(err)
		}
		took = append(took, time.Duration(ms)*time.Millisecond)
	}
	return took, s.reading(rows.Err())
}

// LastMoved tells each document that was moved within a while before the newest
// one was finished: its source, and when it was finished.
func (s *Store) LastMoved(ctx context.Context, within time.Duration, each func(source string, at time.Time)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT source, finished_at FROM documents INDEXED BY documents_finished
		WHERE finished_at >= (SELECT max(finished_at) FROM documents WHERE finished_at IS NOT NULL) - ?
		  AND state <> 'gone'`, within.Milliseconds())
	if err != nil {
		return s.reading(err)
	}
	defer rows.Close()
	for rows.Next() {
		var source string
		var at int64
		if err := rows.Scan(&source, &at); err != nil {
			return s.reading(err)
		}
		each(source, time.UnixMilli(at))
	}
	return s.reading(rows.Err())
}
