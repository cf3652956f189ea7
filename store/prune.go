package store

import (
	"context"
	"database/sql"
	"time"
)

// Prune removes the records, and nothing but the records, of up to limit
// documents that were finished before a time, the oldest first, and returns how
// many it removed. One that is just being put back stays, and
// one that a hook was not told of yet. The room is used again
// for new records; the file does not shrink.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.exec(`DELETE FROM documents WHERE id IN (SELECT id FROM documents INDEXED BY documents_finished
			WHERE finished_at < ? AND put_back IS NULL
			  AND NOT EXISTS (SELECT 1 FROM events WHERE document = documents.id)
			ORDER BY finished_at LIMIT ?)`, before.UnixMilli(), limit)
		return err
	})
	return n, err
}

// OldestFinished returns when the first of the finished documents was finished;
// zero where there is none.
func (s *Store) OldestFinished(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT min(finished_at) FROM documents
		WHERE finished_at IS NOT NULL AND put_back IS NULL
		  AND NOT EXISTS (SELECT 1 FROM events WHERE document = documents.id)`).Scan(&at)
	return timeOf(at), s.reading(err)
}
