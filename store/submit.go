package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// SubmitRequest says how a document is about to be submitted.
type SubmitRequest struct {
	// Options are the type codes that the service is asked to choose from.
	Options []string
	// ReuseWithin is how old an answer to identical content may be. 0: none is
	// reused, and no document waits for an identical one.
	ReuseWithin time.Duration
	// Outcome decides from the confidence of a reused answer: filed or review.
	// The goroutine that writes calls it.
	Outcome func(confidence float64) State
}

// candidate is a document that may be spared a submission.
type candidate struct {
	SubmitRequest
	id      int64
	options int64 // the number of the set that is asked for now
	sha256  []byte
}

// Submitting is the one question before a submission, and its first transition,
// in one transaction. It looks for what is paid for already. A document in
// [PhaseReady] becomes, the first that applies:
//
//   - identified, where a person decided about identical content;
//   - pending, where its own newest job was given up unfinished, chose from the
//     same options and was not asked again since;
//   - identified, where the service answered for identical content and options,
//     not longer ago than ReuseWithin;
//   - pending, with a job for identical content that nobody polls, where answers
//     are reused: a file that was renamed in the inbox is not paid for twice;
//   - waiting in [PhaseEqual], where an identical document is under way;
//   - submitting otherwise: the caller makes the POST.
//
// It returns the document as it is then. [ErrStale]: it was not in PhaseReady.
// Its pause does not matter: the caller chose it.
func (s *Store) Submitting(ctx context.Context, id int64, r SubmitRequest) (Document, error) {
	return s.transition(ctx, id, func(t *tx) error { return t.submitting(id, r) })
}

func (t *tx) submitting(id int64, r SubmitRequest) error {
	c := candidate{SubmitRequest: r, id: id}
	var abandoned, alike, anew bool
	err := t.start(id, `SELECT sha256, job_abandoned = 1,
			EXISTS (SELECT 1 FROM documents o WHERE `+sameContent("o", "d.sha256")+` AND o.id <> d.id), stays_at IS NOT NULL
		FROM documents d WHERE d.id = +? AND d.phase = 'ready'`, &c.sha256, &abandoned, &alike, &anew)
	if err != nil {
		return err
	}
	if c.options, err = t.optionSet(r.Options); err != nil {
		return err
	}
	if alike = alike && !anew; alike { // who asks anew wants another answer
		if done, err := t.followDecision(c); done || err != nil {
			return err
		}
	}
	if abandoned {
		if done, err := t.askAgain(c); done || err != nil {
			return err
		}
	}
	paid := false
	if alike && r.ReuseWithin > 0 {
		for _, spare := range []func(candidate) (bool, error){t.reuse, t.takeOver, t.waitForEqual} {
			if done, err := spare(c); done || err != nil {
				return err
			}
		}
		if paid, err = t.paidBefore(c); err != nil {
			return err
		}
	}
	return t.change(`UPDATE documents SET state = 'submitting', submitted_at = ?2, options = ?3, retry_at = NULL,
			submissions = submissions + 1,
			resubmissions = resubmissions + (attempts > 0 OR outcome_unknown = 1 OR ?4 OR stays_at IS NOT NULL)
		WHERE id = ?1`, id, t.now, c.options, paid)
}

// paidBefore reports whether identical content was submitted without an answer, or
// perhaps was: then the next submission is one more of the same.
func (t *tx) paidBefore(c candidate) (paid bool, err error) {
	err = t.row(`SELECT EXISTS (SELECT 1 FROM documents d WHERE `+sameContent("d", "?1")+` AND d.options = +?2 AND d.id <> +?3
			AND (d.outcome_unknown = 1 OR d.attempts > 0) AND d.identified_at IS NULL AND d.state <> 'failed')`,
		[]any{c.sha256, c.options, c.id}, &paid)
	return paid, err
}

// askAgain polls the document's own job once more before another one is paid
// for: it may have an answer by now.
func (t *tx) askAgain(c candidate) (bool, error) {
	n, err := t.exec(`UPDATE documents SET state = 'pending', job_abandoned = 2, retry_at = NULL, error = NULL
		WHERE id = ?1 AND options = ?2
		  AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.job_id = documents.job_id AND o.state = 'pending')`,
		c.id, c.options)
	return n > 0, err
}

// reuse gives a document the newest answer that the service itself gave to the
// same bytes and the same options, if it is young enough. It may be the document's own,
// where it was in review and is back in the inbox.
func (t *tx) reuse(c candidate) (bool, error) {
	var from, newest int64
	var confidence float64
	err := t.row(`SELECT max(identified_at), id, confidence FROM documents d
		WHERE `+sameContent("d", "+?1")+` AND options = +?2 AND type IS NOT NULL AND reused = 0 AND decided_at IS NULL AND stays_at IS NULL
		  AND identified_at >= +?3`, // the columns are those of the newest: sqlite.org/lang_select.html
		[]any{c.sha256, c.options, t.now - c.ReuseWithin.Milliseconds()}, fields(&newest, &from, &confidence)...)
	if err != nil || from == 0 {
		return false, err
	}
	err = t.do(takeAnswer+`= ?4`, from, string(c.Outcome(confidence)), t.now, c.id)
	if err == nil {
		err = t.releaseEqual(c.id)
	}
	return err == nil, err
}

// takeAnswer begins the statement that identifies documents by the answer that
// document ?1 got.
const takeAnswer = `UPDATE documents SET (type, confidence, alternatives, options) =
		(SELECT type, confidence, alternatives, options FROM documents WHERE id = ?1),
		state = 'identified', outcome = ?2, decided_at = NULL,
		reused = iif(id = ?1, reused, 1), identified_at = iif(id = ?1, identified_at, ?3),
		equal = 0, failures = 0, job_abandoned = 0, retry_at = NULL, error = NULL
	WHERE id `

// takeOver gives a document the newest job for identical content and the same
// options that nobody polls: its document is gone, or gave it up unfinished. The
// job of a document that gave it up is polled once more only. The time of
// submission is that of the job.
func (t *tx) takeOver(c candidate) (bool, error) {
	var from int64
	err := t.row(`SELECT d.id FROM documents d
		WHERE `+sameContent("d", "?1")+` AND d.options = +?2 AND (d.state = 'gone' OR d.phase = 'ready')
		  AND d.job_abandoned = 1 AND d.type IS NULL
		  AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.job_id = d.job_id AND o.state = 'pending')
		ORDER BY d.submitted_at DESC, d.id DESC LIMIT 1`, []any{c.sha256, c.options}, &from)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = t.do(`UPDATE documents SET (job_id, submitted_at, options, job_abandoned) =
				(SELECT job_id, submitted_at, options, iif(state = 'gone', 0, 2) FROM documents WHERE id = ?2),
				state = 'pending', attempts = attempts + 1,
				failures = 0, outcome_unknown = 0, retry_at = NULL, error = NULL
			WHERE id = ?1`, c.id, from)
	}
	if err == nil {
		err = t.do(`UPDATE documents SET job_abandoned = 0 WHERE id = ?`, from)
	}
	return err == nil, err
}

// waitForEqual makes a document wait for an identical one that is under way.
func (t *tx) waitForEqual(c candidate) (bool, error) {
	n, err := t.exec(`UPDATE documents SET equal = 1, options = ?3
		WHERE id = ?1 AND EXISTS (SELECT 1 FROM documents d
			WHERE `+sameContent("d", "?2")+` AND d.options = ?3 AND (d.state = 'submitting' OR d.state = 'pending'))`,
		c.id, c.sha256, c.options)
	return n > 0, err
}

// releaseEqual makes one of the documents that wait for the content of this one
// ready, where this one no longer brings an answer soon. One is enough, as it is
// the next to be submitted: whatever keeps it releases the one after it. Were all
// released, each of them would be looked at and made to wait again.
func (t *tx) releaseEqual(id int64) error {
	return t.do(`UPDATE documents SET equal = 0 WHERE id = (`+oneEqual+`)`, id)
}

// giveUp is change for a document that brings no answer soon.
func (t *tx) giveUp(id int64, query string, args ...any) error {
	if err := t.change(query, append([]any{id}, args...)...); err != nil {
		return err
	}
	return t.releaseEqual(id)
}

// oneEqual finds the document that has waited longest for the content of document ?1.
var oneEqual = `SELECT o.id ` + fromAlike + ` AND o.equal = 1 AND o.id <> d.id ORDER BY o.id LIMIT 1`

// fromAlike finds the documents o with the content and the options of document ?1.
var fromAlike = `FROM documents d CROSS JOIN documents o INDEXED BY documents_content
	ON ` + sameContent("o", "d.sha256") + ` AND o.options = d.options WHERE d.id = +?1`

// sameContent is the condition that a document has a hash. The index has its
// first eight bytes only.
func sameContent(alias, hash string) string {
	return fmt.Sprintf(`substr(%[1]s.sha256, 1, 8) = substr(%[2]s, 1, 8) AND %[1]s.sha256 = %[2]s`, alias, hash)
}

// Accepted records the id of the job that the service made, and that it accepts
// these options. It starts from submitting. [ErrDuplicateJob]: the id stands for
// another document, perhaps one long finished, so that its answer would be that
// one's.
func (s *Store) Accepted(ctx context.Context, id int64, jobID string) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE documents SET state = 'pending', job_id = ?2, job_abandoned = 0,
				attempts = attempts + 1, failures = 0, unnamed = 0, outcome_unknown = 0, retry_at = NULL, error = NULL
			WHERE id = ?1 AND state = 'submitting'
			  AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.job_id = +?2 AND o.id <> documents.id
			    AND (o.sha256 IS NOT documents.sha256 OR o.state = 'pending'))`, id, jobID)
		if err != nil {
			return err
		}
		if n == 0 {
			var submitting bool
			err := t.start(id, `SELECT TRUE FROM documents WHERE id = ? AND state = 'submitting'`, &submitting)
			return cmp.Or(err, fmt.Errorf("document %d: %w", id, ErrDuplicateJob))
		}
		return t.do(`UPDATE option_sets SET accepted_at = coalesce(accepted_at, ?2), unnamed = 0
			WHERE id = (SELECT options FROM documents WHERE id = ?1) AND (accepted_at IS NULL OR unnamed > 0)`, id, t.now)
	})
}

// AcceptedWith reports whether the service ever accepted a document with these options,
// and whether it accepted the last two without naming the job.
func (s *Store) AcceptedWith(ctx context.Context, options []string) (accepted, unnamed bool, err error) {
	codes, err := encodeOptions(options)
	if err == nil {
		err = s.row(ctx, `SELECT count(accepted_at) > 0, coalesce(sum(unnamed), 0) > 1 FROM option_sets WHERE codes = +?`,
			[]any{codes}, &accepted, &unnamed)
	}
	return accepted, unnamed, err
}

// Unnamed puts a document that the service accepted without naming the job back to
// waiting. It starts from submitting.
func (s *Store) Unnamed(ctx context.Context, id int64, reason string, retryAt time.Time) error {
	return s.write(ctx, func(t *tx) error {
		err := t.giveUp(id, `UPDATE documents SET state = 'waiting', unnamed = unnamed + 1, outcome_unknown = 1,
				failures = failures + 1, retry_at = ?2, error = ?3, `+troubled("?4")+`
			WHERE id = ?1 AND state = 'submitting'`, millis(retryAt), reason, t.now)
		if err != nil {
			return err
		}
		return t.do(`UPDATE option_sets SET unnamed = unnamed + 1 WHERE id = (SELECT options FROM documents WHERE id = ?)`, id)
	})
}

// Refusal is a submission that made no job that we know of.
type Refusal struct {
	Reason string
	// OutcomeUnknown says that there may be a job all the same, whose id we never got.
	OutcomeUnknown bool
	// RetryAt is when it may be tried again; zero: when its turn comes.
	RetryAt time.Time
	// Uncounted says that the document had nothing to do with it, so that it
	// neither counts nor shows: a rate limit, a hold, a stop.
	Uncounted bool
}

// Refused puts a document whose submission made no job back to waiting, and
// lets an identical one go first. It starts from submitting.
//
// A document that was refused keeps a time in RetryAt, even one in the past: so
// it comes after those that were never refused, and [Store.Tried] finds it.
func (s *Store) Refused(ctx context.Context, id int64, r Refusal) error {
	return s.write(ctx, func(t *tx) error {
		return t.giveUp(id, `UPDATE documents SET state = 'waiting', outcome_unknown = outcome_unknown OR ?2,
				failures = failures + ?3, error = iif(?3, ?4, error),
				retry_at = CASE WHEN ?3 THEN coalesce(?5, ?6) WHEN failures > 0 THEN ?6 END, `+troubled("iif(?3, ?6, NULL)")+`
			WHERE id = ?1 AND state = 'submitting'`,
			r.OutcomeUnknown, !r.Uncounted, r.Reason, millis(r.RetryAt), t.now)
	})
}

// Postponed records why a waiting document cannot be submitted now, and when to
// look again. It starts from waiting. The reason is the file's own, so an
// identical document that waits for this one goes first.
func (s *Store) Postponed(ctx context.Context, id int64, reason string, until time.Time) error {
	return s.write(ctx, func(t *tx) error {
		return t.giveUp(id, `UPDATE documents SET retry_at = ?2, error = ?3, `+troubled("?4")+`
			WHERE id = ?1 AND state = 'waiting' AND outcome IS NULL`, millis(until), reason, t.now)
	})
}
