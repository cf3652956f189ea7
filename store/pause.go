package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Postponed records why a waiting document cannot be submitted now, and when to
// look again. It starts from waiting. The reason is the file's own, so a document
// that waits for this one because its content is the same goes first, where it
// can be submitted earlier: this one and the others then wait for that one.
func (s *Store) Postponed(ctx context.Context, id int64, reason string, until time.Time) error {
	return s.write(ctx, func(t *tx) error {
		err := t.change(`UPDATE documents SET retry_at = ?2, error = ?3
			WHERE id = ?1 AND state = 'waiting' AND outcome IS NULL`, id, millis(until), reason)
		if err != nil {
			return err
		}
		return t.stepBack(id)
	})
}

// stepBack lets the document that can be submitted first go before this one. It
// takes over a job that may still end. Where the service was given the content
// before, its submission is one more of the same, and counts as such.
func (t *tx) stepBack(id int64) error {
	var heir int64
	err := t.row(`SELECT f.id FROM documents d JOIN documents f ON f.waits_for = d.id
		WHERE d.id = ? AND d.waits_for IS NULL AND d.put_back IS NULL AND coalesce(f.retry_at, 0) < d.retry_at
		ORDER BY f.retry_at, f.id LIMIT 1`, []any{id}, &heir)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, query := range []string{
		`UPDATE documents SET (job_id, submitted_at, options, job_open, attempts) =
				(SELECT job_id, submitted_at, options, 1, documents.attempts + 1 FROM documents d WHERE d.id = ?1)
			WHERE id = ?2 AND EXISTS (SELECT 1 FROM documents WHERE id = ?1 AND job_open = 1)`,
		`UPDATE documents SET unknown = 1
			WHERE id = ?2 AND EXISTS (SELECT 1 FROM documents WHERE id = ?1 AND (unknown = 1 OR attempts > 0))`,
		`UPDATE documents SET job_open = 0 WHERE id = ?1 AND ?2 > 0`,
		`UPDATE documents SET waits_for = CASE id WHEN ?2 THEN NULL ELSE ?2 END WHERE waits_for = ?1 OR id = ?1`,
	} {
		if _, err := t.exec(query, id, heir); err != nil {
			return err
		}
	}
	return nil
}

// RetryNow ends the pauses of all refused documents, once the trouble that
// refused them has passed.
func (s *Store) RetryNow(ctx context.Context) (int64, error) {
	return s.endPauses(ctx, `waits_for IS NULL AND refusals > 0`)
}

// RetryAll ends the pauses of all waiting documents, whatever they wait out.
func (s *Store) RetryAll(ctx context.Context) (int64, error) {
	return s.endPauses(ctx, unfinished)
}

func (s *Store) endPauses(ctx context.Context, of string) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.exec(`UPDATE documents SET retry_at = ?1
			WHERE state = 'waiting' AND outcome IS NULL AND sha256 IS NOT NULL AND put_back IS NULL AND retry_at > ?1 AND `+of, t.now)
		return err
	})
	return n, err
}
