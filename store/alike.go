package store

import (
	"database/sql"
	"errors"
)

// What an admission has to do with documents of identical content. For most there
// are none.

// failedAlike says whether a document of a content failed.
func (t *tx) failedAlike(sha256 []byte) (bool, error) {
	var is bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents INDEXED BY documents_content WHERE sha256 = +? AND state = 'failed')`,
		[]any{sha256}, &is)
	return is, err
}

// refuseMoved refuses a file that was moved to its place after it was opened, by
// somebody who had it before.
func (t *tx) refuseMoved(a Admission, alike bool) error {
	if a.ExaminedAt.IsZero() || a.SHA256 != nil && !alike {
		return nil
	}
	by := `INDEXED BY documents_finished WHERE ?7 IS NULL`
	if a.SHA256 != nil {
		by = `INDEXED BY documents_content WHERE sha256 = +?7`
	}
	var moved bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents `+by+` AND finished_at >= +?1
			AND state <> 'gone' AND source = +?2 AND device = +?3 AND inode = +?4 AND size = +?5 AND modified = +?6)`,
		[]any{a.ExaminedAt.UnixMilli(), a.Source, int64(a.Identity.Device), int64(a.Identity.Inode),
			a.Identity.Size, a.Identity.ModTime, a.SHA256}, &moved)
	if err == nil && moved {
		err = ErrMoving
	}
	return err
}

// match gives a document the answer that its content got before, or lets it wait
// for the one that its content is going to get.
func (t *tx) match(doc, options int64, a Admission) error {
	if a.ReuseWithin <= 0 {
		return nil
	}
	if done, err := t.reuse(doc, options, a); done || err != nil {
		return err
	}
	return t.follow(doc, options, a.SHA256)
}

// reuse gives a document the newest answer that the service itself gave to the
// same bytes and the same options, if it is young enough.
func (t *tx) reuse(doc, options int64, a Admission) (bool, error) {
	var from int64
	var confidence float64
	err := t.row(`SELECT id, coalesce(confidence, 0) FROM documents
		WHERE sha256 = +? AND options = +? AND type IS NOT NULL AND reused = 0 AND identified_at >= +? AND id <> +?
		ORDER BY identified_at DESC LIMIT 1`,
		[]any{a.SHA256, options, t.now - a.ReuseWithin.Milliseconds(), doc}, &from, &confidence)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	outcome := Filed
	if a.Outcome != nil {
		outcome = a.Outcome(confidence)
	}
	return true, t.copyAnswer(doc, from, outcome)
}

// copyAnswer files a document by the answer that another one got.
func (t *tx) copyAnswer(doc, from int64, outcome State) error {
	_, err := t.exec(`UPDATE documents SET (type, confidence, alternatives) =
			(SELECT type, confidence, alternatives FROM documents WHERE id = ?2),
			state = 'identified', outcome = ?3, reused = 1, identified_at = ?4,
			waits_for = NULL, retry_at = NULL, error = NULL
		WHERE id = ?1`, doc, from, string(outcome), t.now)
	return err
}

// follow lets a document wait for one with the same bytes and options that is
// on its way through the service.
func (t *tx) follow(doc, options int64, sha256 []byte) error {
	_, err := t.exec(`UPDATE documents SET waits_for =
			(SELECT id FROM documents
			  WHERE sha256 = +?2 AND options = +?3 AND id <> +?1 AND waits_for IS NULL AND outcome IS NULL AND put_back IS NULL
			    AND (state = 'waiting' OR state = 'submitting' OR state = 'pending')
			  ORDER BY id LIMIT 1)
		WHERE id = ?1`, doc, sha256, options)
	return err
}
