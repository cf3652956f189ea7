package store

import (
	"context"
	"database/sql"
	"errors"
)

// Adopt gives a waiting document the job that the service was given for
// identical content and the same options, where that document has gone while
// the job was under way: a file that was renamed in the inbox is not paid for
// twice. It starts from where [Store.Submitting] starts and leads to pending.
// found is false, and nothing is changed, where there is no such job or the
// document is in another state. The time of submission is that of the job.
//
// It writes only where it finds one, so that asking is cheap.
func (s *Store) Adopt(ctx context.Context, id int64, options []string) (doc Document, found bool, err error) {
	codes, err := optionCodes(options)
	if err != nil {
		return Document{}, false, err
	}
	var from int64
	err = s.read.QueryRowContext(ctx, adoptable, id, codes).Scan(&from)
	if errors.Is(err, sql.ErrNoRows) {
		return Document{}, false, nil
	}
	if err != nil {
		return Document{}, false, s.reading(err)
	}
	err = s.write(ctx, func(t *tx) error {
		doc, found = Document{}, false
		err := t.row(adoptable, []any{id, codes}, &from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		err = t.change(`UPDATE documents SET (job_id, submitted_at, options) =
				(SELECT job_id, submitted_at, options FROM documents WHERE id = ?2),
				state = 'pending', attempts = attempts + 1,
				refusals = 0, unknown = 0, job_open = 0, retry_at = NULL, error = NULL
			WHERE id = ?1`, id, from)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE documents SET job_open = 0 WHERE id = ?`, from); err != nil {
			return err
		}
		found = true
		return t.document(id, &doc)
	})
	return doc, found, err
}

// adoptable finds the newest job that a document can take over.
const adoptable = `SELECT g.id FROM documents d JOIN documents g ON g.sha256 = d.sha256
	WHERE d.id = +?1 AND d.state = 'waiting' AND d.outcome IS NULL AND d.waits_for IS NULL AND d.put_back IS NULL
	  AND g.options = (SELECT id FROM option_sets WHERE codes = +?2)
	  AND g.state = 'gone' AND g.job_open = 1 AND g.type IS NULL
	ORDER BY g.submitted_at DESC, g.id DESC LIMIT 1`
