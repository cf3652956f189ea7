package store

import (
	"context"
	"database/sql"
	"time"
)

// Underway returns up to limit unfinished documents, those that are furthest
// first and among these the oldest.
func (r *Reader) Underway(ctx context.Context, limit int) ([]Document, error) {
	var all []Document
	for _, phases := range [][]Phase{{PhaseFile}, {PhasePoll}, {PhaseSubmit}, waitingPhases} {
		more, err := r.some(ctx, `d.id IN (`+inPhases(phases...)+`) ORDER BY d.id`, 0, limit-len(all))
		if err != nil {
			return nil, err
		}
		if all = append(all, more...); len(all) == limit {
			break
		}
	}
	return all, nil
}

// Last returns up to limit documents that were finished last, the newest first.
// Of a state that is not empty, only those that ended in it.
func (r *Reader) Last(ctx context.Context, state State, limit int) ([]Document, error) {
	cond, args := `d.finished_at IS NOT NULL`, []any(nil)
	switch state {
	case "":
	case Failed:
		cond = `d.state = 'failed'` // to the letter, for the index of these
	default:
		cond, args = cond+` AND d.state = ?`, []any{string(state)}
	}
	return r.some(ctx, cond+` ORDER BY d.finished_at DESC LIMIT ?`, append(args, limit)...)
}

// FinishedBetween calls f for every document that was finished after one time, and
// not after another, until f returns an error.
func (r *Reader) FinishedBetween(ctx context.Context, after, until time.Time, f func(*Document) error) error {
	err := r.eachDocument(ctx, `d.finished_at > ? AND d.finished_at <= ?`, []any{after.UnixMilli(), until.UnixMilli()}, f)
	return r.result(err)
}

// some returns the documents that a condition selects.
func (r *Reader) some(ctx context.Context, cond string, args ...any) (all []Document, err error) {
	err = r.eachDocument(ctx, cond, args, func(d *Document) error {
		all = append(all, *d)
		return nil
	})
	return all, r.result(err)
}

// Progress shows whether the work goes on.
type Progress struct {
	Unfinished map[State]int // every unfinished state is there
	// Due counts the unfinished documents that can be worked on now: not those
	// that cannot be read or moved, or that wait for a pause or an equal document.
	Due int
	// Oldest is when the oldest unfinished document was discovered; zero: none.
	Oldest time.Time
	// Last is the newest change of a document's state; zero: there was none.
	Last time.Time
}

// Progress looks at unfinished documents, and at the one that was finished last.
func (r *Reader) Progress(ctx context.Context, now time.Time) (Progress, error) {
	p := Progress{Unfinished: map[State]int{Waiting: 0, Submitting: 0, Pending: 0, Identified: 0}}
	err := r.each(ctx, `SELECT phase, count(*), `+identifiedOnes+`,
			count(*) FILTER (WHERE phase <> 'admit' AND phase <> 'equal' AND due <= ?),
			min(discovered_at), max(max(discovered_at, coalesce(submitted_at, 0), coalesce(identified_at, 0)))
		FROM documents WHERE `+unfinished+` GROUP BY phase`, []any{now.UnixMilli()}, func(row scanner) error {
		var phase Phase
		var n, identified, due int
		var oldest, last int64
		err := row.Scan((*string)(&phase), &n, &identified, &due, &oldest, &last)
		addPhase(p.Unfinished, phase, n, identified)
		p.Due += due
		p.Oldest = earlier(p.Oldest, time.UnixMilli(oldest))
		p.Last = later(p.Last, time.UnixMilli(last))
		return err
	})
	var finished sql.NullInt64
	if err == nil {
		err = r.conn.QueryRowContext(ctx, `SELECT max(finished_at) FROM documents WHERE finished_at IS NOT NULL`).Scan(&finished)
	}
	p.Last = later(p.Last, timeOf(finished))
	return p, r.result(err)
}

// earlier returns the first of two times that is not zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Types returns the types that documents were identified as, in order.
func (r *Reader) Types(ctx context.Context) (types []string, err error) {
	err = r.each(ctx, `SELECT code FROM types ORDER BY code`, nil, func(row scanner) error {
		var kind string
		err := row.Scan(&kind)
		types = append(types, kind)
		return err
	})
	return types, r.result(err)
}
