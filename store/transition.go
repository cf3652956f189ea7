package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Submitting records, before the POST, that one is about to be made. It starts
// from waiting, where the content is known and no other document is waited for.
// options are the type codes that the service is asked to choose from.
func (s *Store) Submitting(ctx context.Context, id int64, options []string) error {
	return s.write(ctx, func(t *tx) error {
		set, err := t.optionSet(options)
		if err != nil {
			return err
		}
		return t.change(`UPDATE documents SET state = 'submitting', submitted_at = ?2, options = ?3,
				submissions = submissions + 1,
				resubmissions = resubmissions + (attempts > 0 OR unknown = 1)
			WHERE id = ?1 AND state = 'waiting' AND outcome IS NULL AND waits_for IS NULL AND sha256 IS NOT NULL AND put_back IS NULL`, id, t.now, set)
	})
}

// Accepted records the id of the job that the service made. It starts from
// submitting. [ErrDuplicateJob]: the id stands for another document, perhaps one
// long finished, so that what is asked for would be that one's answer.
func (s *Store) Accepted(ctx context.Context, id int64, jobID string) error {
	return s.write(ctx, func(t *tx) error {
		err := t.change(`UPDATE documents SET state = 'pending', job_id = ?2, job_open = 0,
				attempts = attempts + 1, refusals = 0, unknown = 0, retry_at = NULL, error = NULL
			WHERE id = ?1 AND state = 'submitting'
			  AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.job_id = +?2 AND o.id <> documents.id
			    AND (o.sha256 IS NOT documents.sha256 OR o.state = 'pending'))`, id, jobID)
		if !errors.Is(err, ErrStale) {
			return err
		}
		var submitting bool
		if err := t.row(`SELECT EXISTS (SELECT 1 FROM documents WHERE id = ? AND state = 'submitting')`,
			[]any{id}, &submitting); err != nil {
			return err
		}
		if submitting {
			err = fmt.Errorf("document %d: %w", id, ErrDuplicateJob)
		}
		return err
	})
}

// Refusal is a submission that made no job that we know of.
type Refusal struct {
	Reason string
	// Unknown says that there may be a job all the same, whose id we never got.
	Unknown bool
	// RetryAt is when it may be tried again; zero: when its turn comes.
	RetryAt time.Time
	// Blameless says that the document had nothing to do with it, so that it
	// neither counts nor shows: a rate limit, a hold, a stop.
	Blameless bool
	// Own says that it was the file that could not be sent, so that an identical
	// one may be: see [Store.Postponed].
	Own bool
}

// Refused puts a document whose submission made no job back to waiting. It
// starts from submitting.
func (s *Store) Refused(ctx context.Context, id int64, r Refusal) error {
	return s.write(ctx, func(t *tx) error {
		if r.Blameless {
			return t.change(`UPDATE documents SET state = 'waiting', unknown = unknown OR ?2, retry_at = NULL
				WHERE id = ?1 AND state = 'submitting'`, id, r.Unknown)
		}
		err := t.change(`UPDATE documents SET state = 'waiting', unknown = unknown OR ?2,
				refusals = refusals + 1, retry_at = ?3, error = ?4
			WHERE id = ?1 AND state = 'submitting'`, id, r.Unknown, millis(r.RetryAt), r.Reason)
		if err != nil || !r.Own {
			return err
		}
		return t.stepBack(id)
	})
}

// JobEnd is a job that ended without an answer.
type JobEnd struct {
	Reason string
	// Open says that the service still worked on it when it was given up.
	Open bool
	// RetryAt is when another job may be asked for.
	RetryAt time.Time
	// MaxAttempts is how many jobs a document gets before it fails.
	MaxAttempts int
}

// JobEnded puts a document whose job failed, was lost or took too long back to
// waiting, or decides that it failed when it has had its share of jobs. It
// starts from pending and returns the document as it is then.
func (s *Store) JobEnded(ctx context.Context, id int64, e JobEnd) (Document, error) {
	var out Document
	err := s.write(ctx, func(t *tx) error {
		err := t.change(`UPDATE documents SET state = 'waiting', job_open = (?2 AND attempts > spared), retry_at = ?3, error = ?4
			WHERE id = ?1 AND state = 'pending'`, id, e.Open, millis(e.RetryAt), e.Reason)
		if err != nil {
			return err
		}
		var attempts, spared int
		if err := t.row(`SELECT attempts, spared FROM documents WHERE id = ?`, []any{id}, &attempts, &spared); err != nil {
			return err
		}
		if attempts-spared >= e.MaxAttempts {
			reason := e.Reason
			if attempts > 1 {
				reason = fmt.Sprintf("%s (%d jobs, none gave a type)", e.Reason, attempts)
			}
			if err := t.fail(id, reason); err != nil {
				return err
			}
		}
		out = Document{}
		return t.document(id, &out)
	})
	return out, err
}

// Answer is what the service found.
type Answer struct {
	Type         string
	Confidence   float64
	Alternatives json.RawMessage // nil: none
	Outcome      State           // filed or review
}

// Identified records the answer, and gives it to the documents that wait for
// this one because their content is the same. It starts from pending.
func (s *Store) Identified(ctx context.Context, id int64, a Answer) error {
	return s.write(ctx, func(t *tx) error { return t.identify(id, a, `state = 'pending'`) })
}

// IdentifiedLate is Identified for a job that was given up while the service
// still worked on it, and was asked once more before another is paid for. It
// starts from waiting, with such a job.
func (s *Store) IdentifiedLate(ctx context.Context, id int64, a Answer) error {
	return s.write(ctx, func(t *tx) error {
		return t.identify(id, a, `state = 'waiting' AND outcome IS NULL AND waits_for IS NULL AND job_open = 1`)
	})
}

func (t *tx) identify(id int64, a Answer, from string) error {
	err := t.change(`UPDATE documents SET state = 'identified', type = ?2, confidence = ?3, alternatives = ?4,
			outcome = ?5, identified_at = ?6, job_open = 0, retry_at = NULL, error = NULL, polls = polls + ?7
		WHERE id = ?1 AND `+from,
		id, a.Type, a.Confidence, text(string(a.Alternatives)), string(a.Outcome), t.now, t.polls[id])
	if err != nil {
		return err
	}
	t.added[id] = true
	followers, err := t.ids(`SELECT id FROM documents WHERE waits_for = +?`, id)
	for _, f := range followers {
		if err := t.copyAnswer(f, id, a.Outcome); err != nil {
			return err
		}
	}
	return err
}

// Failed decides that a document cannot be identified. Documents that wait for
// it fail with it: their content is the same. It starts from any unfinished
// state without an outcome.
func (s *Store) Failed(ctx context.Context, id int64, reason string) error {
	return s.write(ctx, func(t *tx) error { return t.fail(id, reason) })
}

func (t *tx) fail(id int64, reason string) error {
	err := t.change(`UPDATE documents SET state = 'waiting', outcome = 'failed', error = ?2, retry_at = NULL, waits_for = NULL, put_back = NULL
		WHERE id = ?1 AND outcome IS NULL AND `+unfinished, id, reason)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE documents SET waits_for = NULL, outcome = 'failed', error = ?2 WHERE waits_for = ?1`, id, reason)
	return err
}

// Gone records that a document was changed or taken away before it was filed.
// One of the documents that wait for it takes its place. A job that is under
// way stays known, so that [Store.Adopt] can give it to identical content.
func (s *Store) Gone(ctx context.Context, id int64, reason string) error {
	return s.write(ctx, func(t *tx) error { return t.end(id, reason) })
}

func (t *tx) end(id int64, reason string) error {
	err := t.change(`UPDATE documents SET state = 'gone', finished_at = ?2, error = ?3,
			sorted = NULL, target = NULL, put_back = NULL, waits_for = NULL, retry_at = NULL,
			job_open = (job_open = 1 OR state = 'pending')
		WHERE id = ?1 AND `+unfinished, id, t.now, reason)
	if err != nil {
		return err
	}
	var heir int64
	err = t.row(`SELECT id FROM documents WHERE waits_for = +? ORDER BY retry_at, id LIMIT 1`, []any{id}, &heir)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE documents SET waits_for = CASE id WHEN ?2 THEN NULL ELSE ?2 END WHERE waits_for = ?1`, id, heir)
	return err
}

// Recover puts the documents whose submission was cut off by the end of an
// earlier daemon back to waiting: what became of the POST is not known.
func (s *Store) Recover(ctx context.Context) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.exec(`UPDATE documents SET state = 'waiting', unknown = 1, retry_at = NULL,
			error = 'the daemon ended during its upload; whether a job was made is not known'
			WHERE state = 'submitting' AND ` + unfinished)
		return err
	})
	return n, err
}

// change runs an update of one document whose WHERE says where it may start
// from; [ErrStale] where it does not.
func (t *tx) change(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("document %d: %w", args[0], ErrStale)
	}
	return err
}

// millis stores the zero time as NULL.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
