package store

import (
	"context"
	"time"
)

// Targeted is where a document is about to be moved to.
type Targeted struct {
	ID     int64
	Sorted string // the root of all targets
	Target string // relative to it
}

// Target records, before the move, where documents are about to go. Each must
// have an outcome; those that no longer do are left out and returned. Another
// document that was meant for the same place, and was not moved, loses its target:
// it could take the equal file at the place for its own.
func (s *Store) Target(ctx context.Context, targets []Targeted) (stale []int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		stale = nil
		for _, m := range targets {
			sorted, err := t.folder(Folder{Path: m.Sorted})
			if err != nil {
				return err
			}
			n, err := t.target(m, sorted)
			if isTaken(err) {
				_, err = t.exec(`UPDATE documents SET sorted = NULL, target = NULL
					WHERE sorted = +?1 AND target = +?2 AND finished_at IS NULL`, sorted, m.Target)
				if err == nil {
					n, err = t.target(m, sorted)
				}
			}
			if err != nil {
				return err
			}
			if n == 0 {
				stale = append(stale, m.ID)
			}
		}
		return nil
	})
	return stale, err
}

func (t *tx) target(m Targeted, sorted int64) (int64, error) {
	return t.exec(`UPDATE documents SET sorted = ?2, target = ?3
		WHERE id = +?1 AND outcome IS NOT NULL AND finished_at IS NULL`, m.ID, sorted, m.Target)
}

// Moved records that documents lie at their targets, safe on the disk, and adds
// their events where a hook is set.
func (s *Store) Moved(ctx context.Context, ids []int64) error {
	return s.write(ctx, func(t *tx) error {
		var listening bool
		if err := t.row(`SELECT EXISTS (SELECT 1 FROM listener)`, nil, &listening); err != nil {
			return err
		}
		for _, id := range ids {
			n, err := t.exec(`UPDATE documents SET state = outcome, finished_at = ?2, retry_at = NULL, failures = 0,
					error = CASE outcome WHEN 'failed' THEN error END
				WHERE id = +?1 AND target IS NOT NULL AND finished_at IS NULL`, id, t.now)
			if err == nil && n > 0 && listening {
				err = t.addFinished(id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SetMoveError records why a document in [PhaseFile] cannot be moved yet and when
// to try again, and counts the failure. The reason is shown, unless the document
// failed: then its error says why.
func (s *Store) SetMoveError(ctx context.Context, id int64, reason string, retryAt time.Time) error {
	_, err := s.exec(ctx, `UPDATE documents SET retry_at = ?2, failures = failures + 1,
			error = iif(outcome = 'failed', error, ?3)
		WHERE id = ?1 AND phase = 'file'`, id, millis(retryAt), reason)
	return err
}
