package store

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// HoldKind is what a hold is about. The values are stored and shown.
type HoldKind string

// The kinds of holds, those that need a person first.
const (
	HoldAccount HoldKind = "account" // key, quota or access
	HoldDisk    HoldKind = "disk"    // a full or read-only disk
	HoldInbox   HoldKind = "inbox"   // it is missing or not mounted
	HoldService HoldKind = "service" // the service, or the way to it, is down
	HoldRate    HoldKind = "rate"    // the service named a time to wait until
)

// Hold is trouble that is not a document's own and keeps all work, or a part of it,
// waiting.
type Hold struct {
	Kind   HoldKind
	Reason string
	Since  time.Time // zero: when it was recorded
	Until  time.Time // zero: not known
}

// Event is what the hook is run for: the end of a document's way, that it is stuck, or the
// beginning or the end of a hold. It is stored in the transaction of the change itself, by
// [Store.Moved], [Store.Decided] and [Store.MarkStuck] or, for a hold, by a trigger.
type Event struct {
	ID   int64
	Kind string // filed, review, failed, refiled, stuck, hold or resumed
	At   time.Time

	Document   int64  // 0: of no document
	Source     string // relative to the inbox, raw bytes
	Path       string // absolute, raw bytes; of one that is stuck, in the inbox
	Type       string
	Confidence float64 // 0 where a person decided otherwise than the service
	DecidedBy  Decider // the type; "": there is none
	Reason     string  // why it failed or is stuck, or why the work waits or waited

	Hold  HoldKind  // of hold and resumed
	Until time.Time // zero: not known

	Tries int // that failed
}

// Started records that a daemon has the database. It clears the hold of an earlier
// one, and what that one did not take.
func (s *Store) Started(ctx context.Context, pid int) error {
	return s.write(ctx, func(t *tx) error {
		err := t.do(`INSERT INTO daemon (id, pid, started_at) VALUES (1, ?1, ?2)
			ON CONFLICT (id) DO UPDATE SET pid = ?1, started_at = ?2, stopped_at = NULL,
				hold_kind = NULL, hold_reason = NULL, hold_since = NULL, hold_until = NULL`, pid, t.now)
		return cmp.Or(err, t.do(`DELETE FROM not_taken`))
	})
}

// Stopped records that the daemon ended in good order.
func (s *Store) Stopped(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		return cmp.Or(t.do(`UPDATE daemon SET stopped_at = ?`, t.now), t.do(`DELETE FROM not_taken`))
	})
}

// SetHold records the hold that the daemon is on; nil: none.
func (s *Store) SetHold(ctx context.Context, h *Hold) error {
	if h == nil {
		return s.do(ctx, `UPDATE daemon SET hold_kind = NULL, hold_reason = NULL, hold_since = NULL, hold_until = NULL`)
	}
	return s.do(ctx, `UPDATE daemon SET hold_kind = ?, hold_reason = ?, hold_since = coalesce(?, ?), hold_until = ?`,
		string(h.Kind), h.Reason, millis(h.Since), time.Now().UnixMilli(), millis(h.Until))
}

// Listen turns events on or off. While they are off none are kept, and those that
// there were are dropped, as many as dropped says.
func (s *Store) Listen(ctx context.Context, on bool) (dropped int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		if on {
			return t.do(`INSERT OR IGNORE INTO listener (id) VALUES (1)`)
		}
		dropped, err = t.exec(`DELETE FROM events`)
		return errors.Join(err, t.do(`DELETE FROM listener`))
	})
	return dropped, err
}

// insertEvents adds events of a kind and a time, in SQL, for the documents of a condition
// that has to follow.
func insertEvents(kindAndTime string) string {
	return `INSERT INTO events (kind, at, document, source, path, type, confidence, decided_by, reason)
		SELECT ` + kindAndTime + `, id, source,
			iif(finished_at IS NULL AND stays_at IS NULL, (SELECT path FROM folders WHERE id = inbox) || '/' || source,
				(SELECT path FROM folders WHERE id = sorted) || '/' || coalesce(stays_at, target)),
			(SELECT code FROM types WHERE id = documents.type), confidence,
			CASE WHEN decided_at IS NOT NULL THEN 'person' WHEN type IS NOT NULL THEN 'service' END, error
		FROM documents WHERE `
}

// addEvents is insertEvents for documents that were moved, where a hook is set. A trigger
// would cost every document a twentieth of all that it writes, hook or not.
func (t *tx) addEvents(kindAndTime string, ids ...int64) error {
	var listening bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM listener)`, nil, &listening)
	for _, id := range ids {
		if err != nil || !listening {
			break
		}
		err = t.do(insertEvents(kindAndTime)+`id = ?`, id)
	}
	return err
}

// firstOfDocument is the condition that an event e is the first of its document, so
// that they stay in order.
const firstOfDocument = `NOT EXISTS (SELECT 1 FROM events o WHERE o.document = e.document AND o.id < e.id)`

// DueEvents returns up to limit events whose pause is over, the oldest first: of
// each document only the first.
func (s *Store) DueEvents(ctx context.Context, now time.Time, limit int) ([]Event, error) {
	return list(ctx, &s.questions, func(row scanner) (e Event, err error) {
		err = row.Scan(fields(&e.ID, &e.Kind, &e.At, &e.Document, &e.Source, &e.Path, &e.Type, &e.Confidence,
			(*string)(&e.DecidedBy), &e.Reason, (*string)(&e.Hold), &e.Until, &e.Tries)...)
		return e, err
	}, `SELECT id, kind, at, document, source, path, type, confidence, decided_by, reason, hold_kind, hold_until, tries
		FROM events e WHERE retry_at <= ? AND `+firstOfDocument+` ORDER BY id LIMIT ?`, now.UnixMilli(), limit)
}

// NextEvent returns when the pause of the next event ends; zero where there is none.
func (s *Store) NextEvent(ctx context.Context) (time.Time, error) {
	return s.time(ctx, `SELECT min(retry_at) FROM events e WHERE `+firstOfDocument)
}

// Ack removes an event that the hook was run for.
func (s *Store) Ack(ctx context.Context, id int64) error {
	return s.do(ctx, `DELETE FROM events WHERE id = ?`, id)
}

// Nack postpones an event whose hook failed, and drops events that are older than
// a time, and all but the newest most. It returns how many were dropped.
func (s *Store) Nack(ctx context.Context, id int64, again, tooOld time.Time, most int) (dropped int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.do(`UPDATE events SET tries = tries + 1, retry_at = ? WHERE id = ?`, again.UnixMilli(), id); err != nil {
			return err
		}
		dropped, err = t.exec(`DELETE FROM events WHERE at < ? OR id <= (SELECT max(id) FROM events) - ?`, tooOld.UnixMilli(), most)
		return err
	})
	return dropped, err
}
