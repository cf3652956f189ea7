package store

import (
	"context"
	"time"
)

// A document is in trouble of its own from the first time that something kept it from
// going on until it goes on. While it is, its error says why. Once that has lasted for a
// while the document is stuck, which is stored, so that everybody who looks sees the same
// and the hook is run once.

// troubled begins the trouble that error is set for, or goes on with it. now is the time.
func troubled(now string) string {
	return `trouble_since = coalesce(iif(error IS NULL, NULL, trouble_since), ` + now + `), stuck = iif(error IS NULL, 0, stuck)`
}

// inTrouble is the condition of the index over documents in trouble.
const inTrouble = `trouble_since IS NOT NULL AND error IS NOT NULL AND ` + unfinished

// newlyStuck selects up to a thousand documents d whose trouble began before ?1, the time
// being ?2, and is not a hold's. During a hold a document that was refused is stuck only
// where the service took another one since then. After a hold one that was refused, or whose
// polls failed, and whose pause has ended has not been tried yet.
const newlyStuck = `SELECT d.id FROM documents d INDEXED BY documents_trouble
	WHERE d.stuck = 0 AND d.trouble_since <= +?1 AND ` + inTrouble + `
	  AND CASE d.phase
		WHEN 'admit' THEN TRUE
		WHEN 'unnamed' THEN TRUE
		WHEN 'file' THEN NOT EXISTS (SELECT 1 FROM daemon WHERE hold_kind = 'disk' OR hold_kind = 'inbox')
		WHEN 'submit' THEN FALSE
		WHEN 'equal' THEN FALSE
		ELSE CASE WHEN NOT EXISTS (SELECT 1 FROM daemon WHERE hold_kind IS NOT NULL)
			THEN d.due > +?2 OR d.phase = 'ready' AND d.failures = 0
			ELSE d.phase = 'ready' AND d.failures > 0 AND EXISTS (SELECT 1 FROM documents o INDEXED BY documents_finished
				WHERE o.finished_at > d.trouble_since AND (o.state = 'filed' OR o.state = 'review') AND o.reused = 0
				  AND o.submitted_at > d.trouble_since) END
		END
	LIMIT 1000`

// MarkStuck marks documents as stuck that have been in trouble of their own since before a
// time, adds their events where a hook is set, and returns how many there were.
func (s *Store) MarkStuck(ctx context.Context, before time.Time) (n int64, err error) {
	now := time.Now().UnixMilli()
	var some bool
	err = s.row(ctx, `SELECT EXISTS (`+newlyStuck+`)`, []any{before.UnixMilli(), now}, &some)
	if err != nil || !some {
		return 0, err
	}
	err = s.write(ctx, func(t *tx) (err error) {
		err = t.do(insertEvents("'stuck', ?2")+`EXISTS (SELECT 1 FROM listener) AND id IN (`+newlyStuck+`)`, before.UnixMilli(), now)
		if err == nil {
			n, err = t.exec(`UPDATE documents SET stuck = 1 WHERE id IN (`+newlyStuck+`)`, before.UnixMilli(), now)
		}
		return err
	})
	return n, err
}

// Stuck returns how many documents are stuck.
func (q *questions) Stuck(ctx context.Context) (n int, err error) {
	err = q.row(ctx, `SELECT count(*) FROM documents INDEXED BY documents_trouble WHERE stuck = 1 AND `+inTrouble, nil, &n)
	return n, err
}
