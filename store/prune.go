package store

import (
	"context"
	"time"
)

// Prune removes up to limit documents that were finished before a time from the
// database, the oldest first, and returns how many. A document that is just being
// put back stays, and one that the hook was not run for yet. The room is used
// again; the file does not shrink.
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
	return s.readTime(ctx, `SELECT min(finished_at) FROM documents
		WHERE finished_at IS NOT NULL AND put_back IS NULL
		  AND NOT EXISTS (SELECT 1 FROM events WHERE document = documents.id)`)
}
