package store

import (
	"context"
	"errors"
	"fmt"
)

// A person may decide the type of a finished document. The decision, and the place that
// the file goes to, are stored before the move, in a row of its own, so that an
// interrupted one is finished. The document changes once the file is there.

// ErrTaken says that another document is being moved to a place.
var ErrTaken = errors.New("another document is being moved to that place")

// Decision is a person's decision that is being carried out.
type Decision struct {
	ID             int64 // of the document
	Type           string
	Sorted, Target string // where its file goes, or lies already
	Identity       Identity
	SHA256         []byte // like Identity, that of the file when the decision was made
}

// Deciding records a person's decision before the file is moved, in place of an earlier
// one. It starts from filed, review and failed, and ends a put-back that was interrupted.
// [ErrTaken]: choose another place.
func (s *Store) Deciding(ctx context.Context, d Decision) error {
	return s.write(ctx, func(t *tx) error {
		var may, back, taken bool
		sorted, err := t.folder(Folder{Path: d.Sorted})
		if err != nil {
			return err
		}
		kind, err := t.typeNumber(d.Type)
		if err != nil {
			return err
		}
		err = t.start(d.ID, `SELECT state <> 'gone', put_back IS NOT NULL FROM documents WHERE id = ? AND finished_at IS NOT NULL`, &may, &back)
		switch {
		case err == nil && !may:
			err = stale(d.ID)
		case err == nil && back:
			err = t.do(`UPDATE documents SET put_back = NULL WHERE id = ?`, d.ID)
		}
		if err != nil {
			return err
		}
		err = t.row(`SELECT EXISTS (SELECT 1 FROM documents WHERE sorted = +?1 AND target = +?2 AND `+unfinished+`)
				OR EXISTS (SELECT 1 FROM decisions WHERE sorted = +?1 AND target = +?2 AND document <> +?3)`,
			[]any{sorted, d.Target, d.ID}, &taken)
		if err == nil && taken {
			err = fmt.Errorf("document %d: %w", d.ID, ErrTaken)
		}
		if err != nil {
			return err
		}
		is := d.Identity
		return t.do(`INSERT OR REPLACE INTO decisions (document, type, sorted, target, device, inode, size, modified, changed, sha256)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, d.ID, kind, sorted, d.Target,
			int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime, d.SHA256)
	})
}

// Decided records that a document whose decision was stored lies where it belongs, safe
// on the disk, and adds the event where a hook is set. What the decision changed is taken
// from d. The time at which the document was finished stays, because a person's time is
// not docusort's.
func (s *Store) Decided(ctx context.Context, d Document) error {
	return s.write(ctx, func(t *tx) error {
		kind, err := t.typeNumber(d.Type)
		if err != nil {
			return err
		}
		if err = t.keepContent(d.ID, d.SHA256); err != nil {
			return err
		}
		is := d.Identity
		err = t.change(`UPDATE documents SET (sorted, target) = (SELECT sorted, target FROM decisions WHERE document = ?1),
				state = 'filed', outcome = 'filed', type = ?2, confidence = nullif(?3, 0.0), alternatives = ?4, decided_at = ?5, error = NULL,
				device = ?6, inode = ?7, size = ?8, modified = ?9, changed = ?10, sha256 = ?11
			WHERE `+beingDecided,
			d.ID, kind, d.Confidence, text(string(d.Alternatives)), t.now,
			int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime, d.SHA256)
		if err == nil {
			err = t.do(`DELETE FROM decisions WHERE document = ?`, d.ID)
		}
		if err != nil {
			return err
		}
		return t.addEvents("'refiled', decided_at", d.ID)
	})
}

const beingDecided = `id = +?1 AND finished_at IS NOT NULL AND state <> 'gone'
	AND EXISTS (SELECT 1 FROM decisions WHERE document = ?1)`

// keepContent keeps what is known of the content that a document had until a person
// changed its file, as a document that is gone: copies have that answer, or decision.
func (t *tx) keepContent(id int64, now []byte) error {
	const same = `inbox, source, device, inode, size, modified, changed, sha256, content_type, discovered_at, submitted_at,
		identified_at, finished_at, options, type, confidence, alternatives, decided_at`
	return t.do(`INSERT INTO documents (`+same+`, state, error)
		SELECT `+same+`, 'gone', 'changed by hand; document ' || id || ' is what it was changed into'
		FROM documents WHERE sha256 IS NOT ?2 AND type IS NOT NULL AND reused = 0 AND `+beingDecided, id, now)
}

// Undecided removes a decision that was not carried out.
func (s *Store) Undecided(ctx context.Context, id int64) error {
	return s.do(ctx, `DELETE FROM decisions WHERE document = ?`, id)
}

// Decisions returns those that are being carried out, or whose command was killed.
func (s *Store) Decisions(ctx context.Context) ([]Decision, error) {
	return list(ctx, &s.questions, func(row scanner) (d Decision, err error) {
		is := &d.Identity
		err = row.Scan(fields(&d.ID, &d.Type, &d.Sorted, &d.Target,
			&is.Device, &is.Inode, &is.Size, &is.ModTime, &is.ChangeTime, &d.SHA256)...)
		return d, err
	}, `SELECT document, (SELECT code FROM types WHERE id = type), (SELECT path FROM folders WHERE id = sorted), target,
			device, inode, size, modified, changed, sha256
		FROM decisions ORDER BY document`)
}

// AskAnew lets the service be asked once more about a document that is filed or in review,
// whose file lies at its target, with this identity and the content of the record. The file
// stays there, and the document is what it was, until there is another answer; if there is
// none, that is all.
func (s *Store) AskAnew(ctx context.Context, id int64, is Identity) error {
	return s.change(ctx, `UPDATE documents SET state = 'waiting', stays_at = target, target = NULL, outcome = NULL, finished_at = NULL,
			device = ?2, inode = ?3, size = ?4, modified = ?5, changed = ?6,
			error = NULL, retry_at = NULL, failures = 0, unnamed = 0, job_abandoned = 0, attempts_before_retry = attempts
		WHERE id = ?1 AND (state = 'filed' OR state = 'review') AND id NOT IN (SELECT document FROM decisions)`,
		id, int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime)
}

// stay ends the question about a document that was asked about anew: it is what it was.
func (t *tx) stay(id int64, reason string) error {
	return t.giveUp(id, `UPDATE documents SET state = iif(substr(stays_at, 1, 8) = '_review/', 'review', 'filed'),
			outcome = iif(substr(stays_at, 1, 8) = '_review/', 'review', 'filed'), target = stays_at, stays_at = NULL, finished_at = ?2,
			error = 'asked anew without an answer: ' || ?3, retry_at = NULL, failures = 0, unnamed = 0, equal = 0, job_abandoned = 0,
			trouble_since = NULL, stuck = 0
		WHERE id = ?1 AND stays_at IS NOT NULL`, t.now, reason)
}

// SharedNow reports whether another command is changing the database beside the daemon.
func (s *Store) SharedNow() bool { return isLocked(s.lock, sharedByte) }

// DaemonRuns reports whether a daemon has the database that a command changes.
func (s *Store) DaemonRuns() bool { return isLocked(s.lock, daemonByte) }

// followDecision gives a document the newest decision of a person about the same bytes,
// whatever they were asked for, and however long ago.
func (t *tx) followDecision(c candidate) (bool, error) {
	var at, from int64
	err := t.row(`SELECT max(decided_at), id FROM documents d WHERE `+sameContent("d", "+?1")+`
			AND d.decided_at IS NOT NULL AND d.id <> +?2`, // the id is that of the newest: sqlite.org/lang_select.html
		[]any{c.sha256, c.id}, fields(&at, &from)...)
	if err != nil || from == 0 {
		return false, err
	}
	err = t.do(`UPDATE documents SET (type, confidence, alternatives, decided_at) =
				(SELECT type, confidence, alternatives, decided_at FROM documents WHERE id = ?2),
			state = 'identified', outcome = 'filed', reused = 1, identified_at = ?3,
			equal = 0, failures = 0, job_abandoned = 0, retry_at = NULL, error = NULL
		WHERE id = ?1`, c.id, from, t.now)
	if err == nil {
		err = t.releaseEqual(c.id)
	}
	return err == nil, err
}
