package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// JobEnd is a job that ended without an answer.
type JobEnd struct {
	Reason string
	// Open says that the service still worked on it when it was given up.
	Open bool
	// RetryAt is when another job may be asked for.
	RetryAt time.Time
	// MaxAttempts is how many jobs a document gets before it fails.
	MaxAttempts int
	// Polls are the status requests that were made for it.
	Polls int
	// Share counts the jobs of all unfinished documents of the same content.
	Share bool
}

// JobEnded puts a document whose job failed, was lost or took too long back to
// waiting, or decides that it failed when it has had its share of jobs. It
// starts from pending and returns the document as it is then. A job that was
// given up unfinished is asked once more, by [Store.Submitting].
func (s *Store) JobEnded(ctx context.Context, id int64, e JobEnd) (Document, error) {
	return s.transition(ctx, id, func(t *tx) error {
		var attempts, share int
		err := t.start(id, `SELECT attempts, attempts - attempts_before_retry FROM documents WHERE id = ? AND state = 'pending'`,
			&attempts, &share)
		if err == nil && e.Share {
			err = t.row(`SELECT sum(o.attempts - o.attempts_before_retry) `+fromAlike+` AND o.`+unfinished, []any{id}, &share)
		}
		if err != nil {
			return err
		}
		err = t.do(`UPDATE documents SET polls = polls + ?2, job_abandoned = (?3 AND job_abandoned = 0) WHERE id = ?1`,
			id, e.Polls, e.Open)
		if err != nil {
			return err
		}
		if share >= e.MaxAttempts {
			reason := e.Reason
			if attempts > 1 {
				reason = fmt.Sprintf("%s (%d jobs, none gave a type)", e.Reason, attempts)
			}
			return t.fail(id, reason)
		}
		err = t.do(`UPDATE documents SET state = 'waiting', retry_at = ?2, error = ?3, `+troubled("?4")+` WHERE id = ?1`,
			id, millis(e.RetryAt), e.Reason, t.now)
		if err != nil {
			return err
		}
		// The pause is the content's: another job for an equal document costs as much.
		return t.do(`UPDATE documents SET equal = 0, retry_at = ?2 WHERE id = (`+oneEqual+`)`, id, millis(e.RetryAt))
	})
}

// PollLater parks a pending document: [Store.Parked] returns it from a time on. The
// reason is shown.
func (s *Store) PollLater(ctx context.Context, id int64, reason string, at time.Time, polls int) error {
	return s.change(ctx, `UPDATE documents SET retry_at = ?2, error = ?3, polls = polls + ?4, `+troubled("?5")+`
		WHERE id = ?1 AND state = 'pending'`, id, millis(at), text(reason), polls, time.Now().UnixMilli())
}

// Answer is what the service found.
type Answer struct {
	Type         string
	Confidence   float64
	Alternatives json.RawMessage // nil: none
	Outcome      State           // filed or review
	Polls        int             // status requests that it took
	Share        bool            // identical documents that wait get it too
}

// Identified records the answer. It starts from pending. Where the answer is
// shared, waiting documents of the same content and options are identified with it.
func (s *Store) Identified(ctx context.Context, id int64, a Answer) error {
	return s.write(ctx, func(t *tx) error {
		kind, err := t.typeNumber(a.Type)
		if err != nil {
			return err
		}
		err = t.change(`UPDATE documents SET state = 'identified', type = ?2, confidence = ?3, alternatives = ?4,
				outcome = ?5, identified_at = ?6, polls = polls + ?7,
				job_abandoned = 0, failures = 0, retry_at = NULL, error = NULL,
				reused = 0, decided_at = NULL
			WHERE id = ?1 AND state = 'pending'`,
			id, kind, a.Confidence, text(string(a.Alternatives)), string(a.Outcome), t.now, a.Polls)
		if err != nil {
			return err
		}
		if !a.Share {
			return t.releaseEqual(id)
		}
		return t.share(id, a.Outcome)
	})
}

// share gives the answer of a document to all that wait with the same content and
// options. Mostly there are none.
func (t *tx) share(id int64, outcome State) error {
	waiting := fromAlike + ` AND (o.phase = 'ready' OR o.phase = 'equal' OR o.phase = 'unnamed')`
	var some bool
	err := t.row(`SELECT EXISTS (SELECT 1 `+waiting+`)`, []any{id}, &some)
	if err == nil && some {
		err = t.do(takeAnswer+`IN (SELECT o.id `+waiting+`)`, id, string(outcome), t.now)
	}
	return err
}

// Failed decides that a document cannot be identified. It starts from any
// unfinished state without an outcome. Where the service had it, documents of the
// same content that wait for its answer, or had a job before, fail with it. One that is
// asked about anew stays filed instead.
func (s *Store) Failed(ctx context.Context, id int64, reason string) error {
	return s.write(ctx, func(t *tx) error { return t.fail(id, reason) })
}

func (t *tx) fail(id int64, reason string) error {
	var phase Phase
	var stays bool
	err := t.start(id, `SELECT phase, stays_at IS NOT NULL FROM documents WHERE id = ? AND outcome IS NULL AND `+unfinished,
		(*string)(&phase), &stays)
	if err != nil {
		return err
	}
	if stays {
		return t.stay(id, reason)
	}
	err = t.do(`UPDATE documents SET state = 'waiting', outcome = 'failed', error = ?2, trouble_since = NULL, stuck = 0,
			retry_at = NULL, failures = 0, equal = 0, put_back = NULL
		WHERE id = ?1`, id, reason)
	if err != nil {
		return err
	}
	if phase != PhaseSubmit && phase != PhasePoll {
		return t.releaseEqual(id) // the service has not judged the content
	}
	return t.do(`UPDATE documents SET outcome = 'failed', error = ?2, trouble_since = NULL, stuck = 0, retry_at = NULL, failures = 0, equal = 0
		WHERE id IN (SELECT o.id `+fromAlike+` AND o.stays_at IS NULL
			AND (o.equal = 1 OR o.phase = 'ready' AND o.attempts > 0))`, id, reason)
}

// Gone records that a document was changed in the inbox or removed from it before
// it was filed. One that is asked about anew stays filed instead. A job that is under way stays known, so that [Store.Submitting]
// can give it to identical content. Where from is given, the document must still be in
// one of these phases: an answer for identical content may have decided about it since
// its file was missed, and the file have been moved to where it belongs.
func (s *Store) Gone(ctx context.Context, id int64, reason string, from ...Phase) error {
	return s.write(ctx, func(t *tx) error {
		var phase Phase
		var stays bool
		err := t.start(id, `SELECT phase, stays_at IS NOT NULL FROM documents WHERE id = ? AND `+unfinished, (*string)(&phase), &stays)
		if err == nil && len(from) > 0 && !slices.Contains(from, phase) {
			err = stale(id)
		}
		if err != nil {
			return err
		}
		if stays {
			return t.stay(id, reason)
		}
		return t.end(id, reason)
	})
}

func (t *tx) end(id int64, reason string) error {
	return t.giveUp(id, `UPDATE documents SET state = 'gone', finished_at = ?2, error = ?3,
			sorted = NULL, target = NULL, put_back = NULL, equal = 0, retry_at = NULL,
			job_abandoned = (job_abandoned = 1 OR state = 'pending')
		WHERE id = ?1 AND `+unfinished, t.now, reason)
}

// Recover puts the documents whose submission was cut off by the end of an
// earlier daemon back to waiting, and returns how many: what became of the POST
// is not known. Documents that waited for identical ones are ready again.
func (s *Store) Recover(ctx context.Context) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.exec(`UPDATE documents SET state = 'waiting', outcome_unknown = 1,
				retry_at = iif(failures > 0, ?, NULL),
				error = 'the daemon ended during its upload; whether a job was made is not known', trouble_since = NULL, stuck = 0
			WHERE phase = 'submit' AND `+unfinished, t.now)
		if err != nil {
			return err
		}
		return t.do(`UPDATE documents SET equal = 0 WHERE phase = 'equal' AND ` + unfinished)
	})
	return n, err
}

// Prune removes up to limit documents that were finished before a time from the
// database, the oldest first, and returns how many. A document that is just being
// put back stays, and one that the hook was not run for yet. The room is used
// again; the file does not shrink.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.exec(ctx, `DELETE FROM documents WHERE id IN (SELECT id FROM documents INDEXED BY documents_finished
		WHERE finished_at < ? AND `+prunable+` ORDER BY finished_at LIMIT ?)`, before.UnixMilli(), limit)
}

// prunable is the condition that nobody needs a finished document any more.
const prunable = `put_back IS NULL AND NOT EXISTS (SELECT 1 FROM events WHERE document = documents.id)
	AND id NOT IN (SELECT document FROM decisions)`
