package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Filter narrows what is reported. Its zero value leaves everything in.
type Filter struct {
	Since time.Time // leaves out what was finished before
	State State
	Type  string
}

// where returns the condition, with "TRUE" for none.
func (f Filter) where() (string, []any) {
	cond, args := []string{"TRUE"}, []any(nil)
	if !f.Since.IsZero() {
		cond, args = append(cond, "(d.finished_at IS NULL OR d.finished_at >= ?)"), append(args, f.Since.UnixMilli())
	}
	if f.State != "" {
		cond, args = append(cond, "d.state = ?"), append(args, string(f.State))
	}
	if f.Type != "" {
		cond, args = append(cond, "d.type = ?"), append(args, f.Type)
	}
	return strings.Join(cond, " AND "), args
}

// Summary is what happened and what is going on.
type Summary struct {
	Totals   map[State]int // every state is there
	Types    []TypeCount   // most filed first
	Latency  *Latency      // nil: nothing was filed
	Oldest   time.Time     // discovery of the oldest unfinished document; zero: none
	Requests Requests
	Failures []Reason // most frequent first
	Troubles []Reason // why unfinished documents wait, most frequent first
}

// TypeCount counts the documents of a type.
type TypeCount struct {
	Type           string
	Filed, Review  int
	MeanConfidence float64
}

// Latency is the time from discovery to filing.
type Latency struct{ P50, P95, Max time.Duration }

// Requests counts what the service was asked.
type Requests struct{ Submissions, Polls, Reused, Resubmissions int }

// Reason counts the documents for which it was given.
type Reason struct {
	Reason string
	Count  int
}

// Summary summarises the documents that the filter leaves in.
func (r *Reader) Summary(ctx context.Context, f Filter) (Summary, error) {
	var s Summary
	for _, part := range []func(context.Context, Filter, *Summary) error{
		r.totals, r.types, r.latency, r.reasons,
	} {
		if err := part(ctx, f, &s); err != nil {
			return Summary{}, fmt.Errorf("read database %s: %w", r.path, err)
		}
	}
	return s, r.stoodStill(nil)
}

func (r *Reader) totals(ctx context.Context, f Filter, s *Summary) error {
	s.Totals = make(map[State]int)
	for _, state := range States() {
		s.Totals[state] = 0
	}
	where, args := f.where()
	var oldest sql.NullInt64
	err := r.each(ctx, `SELECT d.state, count(*), sum(d.submissions), sum(d.polls), sum(d.reused), sum(d.resubmissions),
			min(CASE WHEN d.finished_at IS NULL THEN d.discovered_at END)
		FROM documents d WHERE `+where+` GROUP BY d.state`, args, func(row scanner) error {
		var state State
		var n, submissions, polls, reused, resubmissions int
		var first sql.NullInt64
		if err := row.Scan((*string)(&state), &n, &submissions, &polls, &reused, &resubmissions, &first); err != nil {
			return err
		}
		s.Totals[state] = n
		s.Requests.Submissions += submissions
		s.Requests.Polls += polls
		s.Requests.Reused += reused
		s.Requests.Resubmissions += resubmissions
		if first.Valid && (!oldest.Valid || first.Int64 < oldest.Int64) {
			oldest = first
		}
		return nil
	})
	s.Oldest = timeOf(oldest)
	return err
}

func (r *Reader) types(ctx context.Context, f Filter, s *Summary) error {
	where, args := f.where()
	return r.each(ctx, `SELECT d.type, count(*) FILTER (WHERE d.state = 'filed') AS filed,
			count(*) FILTER (WHERE d.state = 'review') AS review, avg(d.confidence)
		FROM documents d WHERE d.state IN ('filed', 'review') AND `+where+`
		GROUP BY d.type ORDER BY filed DESC, review DESC, d.type`, args, func(row scanner) error {
		var t TypeCount
		if err := row.Scan(&t.Type, &t.Filed, &t.Review, &t.MeanConfidence); err != nil {
			return err
		}
		s.Types = append(s.Types, t)
		return nil
	})
}

func (r *Reader) latency(ctx context.Context, f Filter, s *Summary) error {
	where, args := f.where()
	var n int
	from := ` FROM documents d WHERE d.state IN ('filed', 'review') AND ` + where
	if err := r.conn.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&n); err != nil || n == 0 {
		return err
	}
	// The nearest-rank percentile: the smallest value that is not below p of all.
	var l Latency
	for p, dest := range map[float64]*time.Duration{0.50: &l.P50, 0.95: &l.P95, 1: &l.Max} {
		rank := max(int(p*float64(n)+0.999999), 1)
		var ms int64
		err := r.conn.QueryRowContext(ctx, `SELECT max(d.finished_at - d.discovered_at, 0) AS ms`+from+
			` ORDER BY ms LIMIT 1 OFFSET ?`, append(args, rank-1)...).Scan(&ms)
		if err != nil {
			return err
		}
		*dest = time.Duration(ms) * time.Millisecond
	}
	s.Latency = &l
	return nil
}

func (r *Reader) reasons(ctx context.Context, f Filter, s *Summary) error {
	where, args := f.where()
	for cond, dest := range map[string]*[]Reason{
		`d.state = 'failed'`:                            &s.Failures,
		`d.finished_at IS NULL AND d.error IS NOT NULL`: &s.Troubles,
	} {
		err := r.each(ctx, `SELECT coalesce(d.error, ''), count(*) AS n FROM documents d WHERE `+cond+` AND `+where+`
			GROUP BY 1 ORDER BY n DESC, 1 LIMIT 100`, args, func(row scanner) error {
			var reason Reason
			if err := row.Scan(&reason.Reason, &reason.Count); err != nil {
				return err
			}
			*dest = append(*dest, reason)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Documents hands every document that the filter leaves in to f, oldest first,
// until f returns an error.
func (r *Reader) Documents(ctx context.Context, filter Filter, f func(*Document) error) error {
	where, args := filter.where()
	var given error
	err := r.each(ctx, selectDocuments+` WHERE `+where+` ORDER BY d.id`, args, func(row scanner) error {
		var d Document
		if err := d.scan(row); err != nil {
			return err
		}
		given = f(&d)
		return given
	})
	if err != nil && !errors.Is(err, given) {
		return fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
	}
	return r.stoodStill(err)
}

// each hands every row of a query to f.
func (r *Reader) each(ctx context.Context, query string, args []any, f func(scanner) error) error {
	rows, err := r.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
