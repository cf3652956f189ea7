package store

import (
	"context"
	"time"
)

// HoldKind is what a hold is about. The values are stored and shown.
type HoldKind string

// The kinds of holds, those that need a person first.
const (
	HoldAccount HoldKind = "account" // key, quota or access
	HoldDisk    HoldKind = "disk"    // a full or read-only disk
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

// Started records that a daemon has the database. It clears the hold of an earlier
// one.
func (s *Store) Started(ctx context.Context, pid int) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO daemon (id, pid, started_at) VALUES (1, ?1, ?2)
			ON CONFLICT (id) DO UPDATE SET pid = ?1, started_at = ?2, stopped_at = NULL,
				hold_kind = NULL, hold_reason = NULL, hold_since = NULL, hold_until = NULL`, pid, t.now)
		return err
	})
}

// Stopped records that the daemon ended in good order.
func (s *Store) Stopped(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE daemon SET stopped_at = ?`, t.now)
		return err
	})
}

// SetHold records the hold that the daemon is on; nil: none.
func (s *Store) SetHold(ctx context.Context, h *Hold) error {
	return s.write(ctx, func(t *tx) error {
		if h == nil {
			_, err := t.exec(`UPDATE daemon SET hold_kind = NULL, hold_reason = NULL, hold_since = NULL, hold_until = NULL`)
			return err
		}
		_, err := t.exec(`UPDATE daemon SET hold_kind = ?, hold_reason = ?, hold_since = coalesce(?, ?), hold_until = ?`,
			string(h.Kind), h.Reason, millis(h.Since), t.now, millis(h.Until))
		return err
	})
}
