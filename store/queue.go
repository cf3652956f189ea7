package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// What the daemon asks. The database is the queue: only what is being worked on
// is in memory.

// Known reports whether a file of the inbox, with exactly this identity, has an
// unfinished document that needs no new look at the file.
func (s *Store) Known(ctx context.Context, source string, id Identity) (known bool, err error) {
	err = s.row(ctx, `SELECT EXISTS (SELECT 1 FROM documents WHERE source = +? AND `+inInbox+`
			AND device = +? AND inode = +? AND size = +? AND modified = +? AND changed = +?
			AND (sha256 IS NOT NULL OR outcome IS NOT NULL) AND put_back IS NULL)`,
		[]any{source, int64(id.Device), int64(id.Inode), id.Size, id.ModTime, id.ChangeTime}, &known)
	return known, err
}

// Unfinished reports whether there is an unfinished document of a place.
func (s *Store) Unfinished(ctx context.Context, source string) (is bool, err error) {
	err = s.row(ctx, `SELECT EXISTS (SELECT 1 FROM documents WHERE source = +? AND `+inInbox+`)`, []any{source}, &is)
	return is, err
}

// Document returns one document; [sql.ErrNoRows] where there is none.
func (s *Store) Document(ctx context.Context, id int64) (Document, error) {
	docs, err := s.documents(ctx, selectDocuments+` WHERE d.id = ?`, id)
	if len(docs) == 0 {
		return Document{}, cmp.Or(err, sql.ErrNoRows)
	}
	return docs[0], err
}

// Due returns up to limit documents of a phase whose pause is over: those without
// a pause first, by id, then by when the pause ended.
func (s *Store) Due(ctx context.Context, phase Phase, now time.Time, limit int) ([]Document, error) {
	return s.queue(ctx, phase, `d.due <= +?3 ORDER BY d.due, d.id`, limit, now.UnixMilli())
}

// Parked returns up to limit documents in [PhasePoll] that were put off until a time
// that has come, the longest due first.
func (s *Store) Parked(ctx context.Context, now time.Time, limit int) ([]Document, error) {
	return s.queue(ctx, PhasePoll, `d.due > 0 AND d.due <= +?3 ORDER BY d.due, d.id`, limit, now.UnixMilli())
}

// Pending returns every document whose job is under way, whatever its pause, the
// oldest submission first. There are no more than the limit of jobs in flight.
func (s *Store) Pending(ctx context.Context) ([]Document, error) {
	return s.queue(ctx, PhasePoll, `TRUE ORDER BY d.submitted_at, d.id`, -1)
}

// Untried returns up to limit documents in [PhaseReady] that have no pause and were
// never submitted, newest first.
func (s *Store) Untried(ctx context.Context, limit int) ([]Document, error) {
	return s.queue(ctx, PhaseReady, `d.due = 0 AND d.submissions = 0 AND d.attempts = 0 ORDER BY d.id DESC`, limit)
}

// Tried returns up to limit documents in [PhaseReady] that were submitted before,
// whatever their pause, the one that was submitted longest ago first. It reads all
// that are ready.
func (s *Store) Tried(ctx context.Context, limit int) ([]Document, error) {
	return s.queue(ctx, PhaseReady, `(d.submissions > 0 OR d.attempts > 0) ORDER BY d.submitted_at, d.id`, limit)
}

// queue returns up to limit documents of a phase, those that a condition selects in
// the order that it ends with; -1: all of them.
func (s *Store) queue(ctx context.Context, phase Phase, cond string, limit int, args ...any) ([]Document, error) {
	return s.documents(ctx, selectDocuments+` WHERE d.phase = +?1 AND d.`+unfinished+` AND `+cond+` LIMIT +?2`,
		append([]any{string(phase), limit}, args...)...)
}

// NextDue returns when the next pause after a time ends in a phase; zero where
// none does.
func (s *Store) NextDue(ctx context.Context, phase Phase, after time.Time) (time.Time, error) {
	return s.time(ctx, `SELECT min(due) FROM documents WHERE phase = +?1 AND due > +?2 AND `+unfinished,
		string(phase), after.UnixMilli())
}

// Waiting returns up to limit waiting documents without an outcome and with an
// id above after, in the order of their ids.
func (s *Store) Waiting(ctx context.Context, after int64, limit int) ([]Document, error) {
	return s.documents(ctx, selectDocuments+` WHERE d.id IN (`+inPhases(waitingPhases...)+`) ORDER BY d.id`, after, limit)
}

var waitingPhases = []Phase{PhaseAdmit, PhaseReady, PhaseEqual, PhaseUnnamed}

// inPhases selects the ids, above ?1 and at most ?2 of them, of documents in some
// phases, in their order. The index has those without a pause in this order
// already, so that only the others are sorted.
func inPhases(phases ...Phase) string {
	var parts []string
	for _, phase := range phases {
		for _, due := range []string{"=", ">"} {
			parts = append(parts, fmt.Sprintf(`SELECT id FROM documents WHERE phase = '%s' AND due %s 0 AND id > +?1 AND %s`,
				phase, due, unfinished))
		}
	}
	return strings.Join(parts, " UNION ALL ") + " ORDER BY id LIMIT +?2"
}

// EndPauses lets documents be tried now whose pause has not ended, and returns how
// many there were: those whose submission was refused or whose polls fail, or all of them. With all,
// what was accepted twice without a job may be submitted once more.
func (s *Store) EndPauses(ctx context.Context, all bool) (int64, error) {
	cond := `(phase = 'ready' AND failures > 0 OR phase = 'poll')`
	if all {
		cond = `phase <> 'submit'`
		if err := s.do(ctx, `UPDATE documents SET unnamed = 1 WHERE phase = 'unnamed' AND `+unfinished); err != nil {
			return 0, err
		}
	}
	return s.exec(ctx, `UPDATE documents SET retry_at = ?1 WHERE due > ?1 AND `+cond+` AND `+unfinished, time.Now().UnixMilli())
}

// ShortenPauses lets documents be tried now whose pause ends later than any should, because
// the clock was set back, and returns how many there were.
func (s *Store) ShortenPauses(ctx context.Context, longest time.Duration) (int64, error) {
	now := time.Now()
	return s.exec(ctx, `UPDATE documents SET retry_at = ? WHERE due > ? AND `+unfinished, now.UnixMilli(), now.Add(longest).UnixMilli())
}

// Counts returns how many documents are in each state that is not finished.
func (s *Store) Counts(ctx context.Context) (map[State]int, error) {
	return s.countUnfinished(ctx, "", nil)
}

// Left returns how many unfinished documents nothing will be done about before a
// time: those that cannot be admitted or moved, those whose pause ends later, and those
// that wait for an equal document which is one of these.
func (s *Store) Left(ctx context.Context, before time.Time) (n int, err error) {
	err = s.row(ctx, `SELECT count(*) FROM documents d WHERE d.`+unfinished+` AND CASE d.phase
		WHEN 'admit' THEN TRUE
		WHEN 'unnamed' THEN TRUE
		WHEN 'file' THEN d.failures > 0 OR d.due > ?1
		WHEN 'equal' THEN NOT EXISTS (SELECT 1 FROM documents o WHERE `+sameContent("o", "d.sha256")+`
			AND o.phase <> 'admit' AND o.phase <> 'equal' AND o.phase <> 'unnamed' AND o.due <= ?1)
		ELSE d.due > ?1 END`, []any{before.UnixMilli()}, &n)
	return n, err
}

// Finished returns how many documents ended in each state at or after a time.
func (s *Store) Finished(ctx context.Context, since time.Time) (map[State]int, error) {
	counts := make(map[State]int)
	err := s.each(ctx, func(row scanner) error {
		var state State
		var n int
		err := row.Scan((*string)(&state), &n)
		counts[state] = n
		return err
	}, `SELECT state, count(*) FROM documents INDEXED BY documents_finished WHERE finished_at >= ? GROUP BY state`, since.UnixMilli())
	return counts, err
}

// JobTimes returns how long the newest jobs took, from their submission until
// their answer was stored, newest last.
func (s *Store) JobTimes(ctx context.Context, n int) ([]time.Duration, error) {
	return list(ctx, &s.questions, only[time.Duration], `SELECT (identified_at - submitted_at) * 1000000 FROM
			(SELECT id, identified_at, submitted_at FROM documents ORDER BY id DESC LIMIT ?1)
		WHERE identified_at >= submitted_at ORDER BY id`, n)
}

// LastMoved calls f for every document that was moved within a while before the
// newest one was finished, with its source and when it was finished.
func (s *Store) LastMoved(ctx context.Context, within time.Duration, f func(source string, at time.Time)) error {
	return s.each(ctx, func(row scanner) error {
		var source string
		var at int64
		if err := row.Scan(&source, &at); err != nil {
			return err
		}
		f(source, time.UnixMilli(at))
		return nil
	}, `SELECT source, finished_at FROM documents INDEXED BY documents_finished
		WHERE finished_at >= (SELECT max(finished_at) FROM documents WHERE finished_at IS NOT NULL) - ?
		  AND state <> 'gone'`, within.Milliseconds())
}
