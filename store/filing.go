package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Targeted is where a document is about to be moved to.
type Targeted struct {
	ID     int64
	Sorted Folder // the root of all targets, with what tells it apart where its documents are followed
	Target string // relative to it
}

// Target records, before the move, where documents are about to go. Each must
// have an outcome; those that no longer do are left out and returned, and so are those
// whose place another document is moved to by a person's decision. Another
// document that was meant for the same place, and was not moved, loses its target:
// it could take the equal file at the place for its own.
func (s *Store) Target(ctx context.Context, targets []Targeted) (stale []int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		stale = nil
		for _, m := range targets {
			sorted, err := t.folder(m.Sorted)
			if err != nil {
				return err
			}
			n, err := t.target(m, sorted)
			if isTaken(err) {
				err = t.do(`UPDATE documents SET sorted = NULL, target = NULL
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
		WHERE id = +?1 AND outcome IS NOT NULL AND finished_at IS NULL
		  AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.sorted = +?2 AND d.target = +?3)`, m.ID, sorted, m.Target)
}

// Moved records that documents lie at their targets, safe on the disk, and adds
// their events where a hook is set. Those that have no target any more, or are
// finished, are left as they are and returned.
func (s *Store) Moved(ctx context.Context, ids []int64) (stale []int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		stale = nil
		var moved []int64
		for _, id := range ids {
			n, err := t.exec(`UPDATE documents SET state = outcome, finished_at = ?2, stays_at = NULL, retry_at = NULL, failures = 0,
					error = CASE outcome WHEN 'failed' THEN error END
				WHERE id = +?1 AND target IS NOT NULL AND finished_at IS NULL`, id, t.now)
			switch {
			case err != nil:
				return err
			case n == 0:
				stale = append(stale, id)
			default:
				moved = append(moved, id)
			}
		}
		return t.addEvents("state, finished_at", moved...)
	})
	return stale, err
}

// SetMoveError records why a document in [PhaseFile] cannot be moved yet and when
// to try again, and counts the failure. The reason is shown, unless the document
// failed: then its error says why.
func (s *Store) SetMoveError(ctx context.Context, id int64, reason string, retryAt time.Time) error {
	return s.do(ctx, `UPDATE documents SET retry_at = ?2, failures = failures + 1,
			error = iif(outcome = 'failed', error, ?3),
			trouble_since = coalesce(iif(failures = 0, NULL, trouble_since), ?4), stuck = iif(failures = 0, 0, stuck)
		WHERE id = ?1 AND phase = 'file'`, id, millis(retryAt), reason, time.Now().UnixMilli())
}

// A failed document, or one in review, goes on, with the same id, once its file is back in
// the inbox. Whoever put it there does not matter: [Store.Admit] recognises it. Where we
// put it back, the place is stored before the move, so that an interrupted move is
// recognised too.

// maxReturned bounds how many documents of one content are looked at.
const maxReturned = 64

// AsideMatches returns the documents in review and failed that a file of this content, or
// of this size and time where neither was ever read, may be: those that were this
// very file first, then those of this place, then the newest.
func (s *Store) AsideMatches(ctx context.Context, source string, sha256 []byte, id Identity) ([]Document, error) {
	const order = ` ORDER BY d.device = +?1 AND d.inode = +?2 DESC, d.source = +?3 DESC, d.id DESC LIMIT +?4`
	args := []any{int64(id.Device), int64(id.Inode), source, maxReturned}
	if sha256 == nil {
		return s.documents(ctx, selectDocuments+` WHERE d.state = 'failed' AND d.sha256 IS NULL
			AND d.size = +?5 AND d.modified = +?6`+order, append(args, id.Size, id.ModTime)...)
	}
	return s.documents(ctx, selectDocuments+` WHERE `+sameContent("d", "+?5")+` AND `+aside+` AND d.id NOT IN (SELECT document FROM decisions)`+order, append(args, sha256)...)
}

// PuttingBack records, before the move, where in the inbox a failed document is
// about to be put. It starts from failed.
func (s *Store) PuttingBack(ctx context.Context, id int64, source string) error {
	return s.change(ctx, `UPDATE documents SET put_back = ?2 WHERE id = ?1 AND state = 'failed'`, id, source)
}

// PutBack records that a failed document lies in the inbox again, at the place
// that [Store.PuttingBack] stored: it waits to be admitted there. [ErrStale]: it
// goes on already, or another document has the place.
func (s *Store) PutBack(ctx context.Context, id int64, in Folder, is Identity) error {
	return s.write(ctx, func(t *tx) error {
		inbox, err := t.folder(in)
		if err != nil {
			return err
		}
		return t.change(waitAgain+` AND state = 'failed' AND put_back IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.source = documents.put_back AND o.`+unfinished+` AND o.stays_at IS NULL)`,
			id, inbox, nil, int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime)
	})
}

// PutBackChanged ends a failed document whose file was changed where it lay: what
// was put back is a document of its own.
func (s *Store) PutBackChanged(ctx context.Context, id int64) error {
	return s.change(ctx, `UPDATE documents SET state = 'gone', finished_at = ?2, put_back = NULL,
			outcome = NULL, sorted = NULL, target = NULL,
			error = 'changed after it failed; what was put back is a document of its own'
		WHERE id = ?1 AND state = 'failed'`, id, time.Now().UnixMilli())
}

// waitAgain makes a document that was put aside wait once more. Its jobs stay counted, but not
// as attempts of this retry; a job that never ended is asked once more first.
const waitAgain = `UPDATE documents SET state = 'waiting', inbox = ?2, source = coalesce(?3, put_back),
		put_back = CASE WHEN ?3 IS NULL THEN put_back END,
		device = ?4, inode = ?5, size = ?6, modified = ?7, changed = ?8,
		outcome = NULL, sorted = NULL, target = NULL, finished_at = NULL, error = NULL,
		retry_at = NULL, failures = 0, attempts_before_retry = attempts
	WHERE id = ?1`

// resumeAside lets the first document that an admission may be, and that is still put
// aside, wait at the place of the admission. It returns 0 where there is none.
func (t *tx) resumeAside(inbox int64, a Admission) (int64, error) {
	is := a.Identity
	for _, id := range a.AsideMatches {
		err := t.change(waitAgain+` AND `+aside+` AND id NOT IN (SELECT document FROM decisions)`, id, inbox, a.Source, int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime)
		if errors.Is(err, ErrStale) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("resume: %w", err)
		}
		return id, t.decide(id, a)
	}
	return 0, nil
}
