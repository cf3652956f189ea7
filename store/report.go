package store

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// Filter selects what is reported. Its zero value selects everything.
type Filter struct {
	Since time.Time // leaves out what was finished before
	State State
	Type  string
}

// where returns the condition and its arguments.
func (f Filter) where() (string, []any) {
	cond, args := f.ofKind()
	if !f.Since.IsZero() {
		cond, args = cond+" AND (d.finished_at IS NULL OR d.finished_at >= ?)", append(args, f.Since.UnixMilli())
	}
	return cond, args
}

// finished is where() for finished documents, in a form that the index over their
// times can use.
func (f Filter) finished() (string, []any) {
	cond, args := f.ofKind()
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	return "d.finished_at >= ? AND " + cond, append([]any{since}, args...)
}

// ofKind is the condition about the state and the type, with "TRUE" for none.
func (f Filter) ofKind() (string, []any) {
	cond, args := []string{"TRUE"}, []any(nil)
	if f.State != "" {
		cond, args = append(cond, "d.state = ?"), append(args, string(f.State))
	}
	if f.Type != "" {
		cond, args = append(cond, "d.type = (SELECT id FROM types WHERE code = ?)"), append(args, f.Type)
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

// Requests counts the requests to the service.
type Requests struct{ Submissions, Polls, Reused, Resubmissions int }

// Reason counts the documents for which it was given.
type Reason struct {
	Reason string
	Count  int
}

// Summary summarises the documents that the filter selects.
func (r *Reader) Summary(ctx context.Context, f Filter) (Summary, error) {
	s := Summary{Totals: make(map[State]int)}
	for _, part := range []func(context.Context, Filter, *Summary) error{
		r.requests, r.unfinished, r.finished, r.failures, r.troubles,
	} {
		if err := part(ctx, f, &s); err != nil {
			return Summary{}, r.result(err)
		}
	}
	return s, r.stoodStill(nil)
}

// requests adds up the requests to the service.
func (r *Reader) requests(ctx context.Context, f Filter, s *Summary) error {
	finished, since := f.finished()
	kind, args := f.ofKind()
	const sums = `SELECT sum(submissions) AS s, sum(polls) AS p, sum(reused) AS u, sum(resubmissions) AS a FROM documents d `
	return r.conn.QueryRowContext(ctx, `SELECT coalesce(sum(s), 0), coalesce(sum(p), 0), coalesce(sum(u), 0), coalesce(sum(a), 0)
		FROM (`+sums+`INDEXED BY documents_finished WHERE `+finished+` UNION ALL `+sums+`WHERE `+unfinished+` AND `+kind+`)`,
		append(since, args...)...).
		Scan(&s.Requests.Submissions, &s.Requests.Polls, &s.Requests.Reused, &s.Requests.Resubmissions)
}

// unfinished counts the unfinished documents and finds the one that was
// discovered first.
func (r *Reader) unfinished(ctx context.Context, f Filter, s *Summary) error {
	kind, args := f.ofKind()
	for _, state := range States()[:4] {
		s.Totals[state] = 0
	}
	return r.each(ctx, `SELECT d.state, count(*), min(d.discovered_at) FROM documents d
		WHERE `+unfinished+` AND `+kind+` GROUP BY d.state`, args, func(row scanner) error {
		var state State
		var n int
		var discovered int64
		err := row.Scan((*string)(&state), &n, &discovered)
		s.Totals[state] = n
		s.Oldest = earlier(s.Oldest, time.UnixMilli(discovered))
		return err
	})
}

// finished counts the finished documents and those of each type, and finds the
// percentiles of how long filing took.
func (r *Reader) finished(ctx context.Context, f Filter, s *Summary) error {
	from := int64(math.MinInt64)
	if !f.Since.IsZero() {
		from = f.Since.UnixMilli()
	}
	sum := tally{took: newHistogram(), types: make(map[int64]*typeSum)}
	if err := r.tally(ctx, f, from, math.MaxInt64, &sum); err != nil {
		return err
	}
	s.Totals[Filed], s.Totals[Review], s.Totals[Failed], s.Totals[Gone] = sum.Filed, sum.Review, sum.Failed, sum.Gone
	s.Latency = sum.took.latency()
	err := r.each(ctx, `SELECT id, code FROM types`, nil, func(row scanner) error {
		var id int64
		var c TypeCount
		if err := row.Scan(&id, &c.Type); err != nil {
			return err
		}
		if t := sum.types[id]; t != nil {
			c.Filed, c.Review = t.filed, t.review
			c.MeanConfidence = float64(t.confidence) / 1e6 / float64(max(t.rated, 1))
			s.Types = append(s.Types, c)
		}
		return nil
	})
	slices.SortFunc(s.Types, func(a, b TypeCount) int {
		return cmp.Or(cmp.Compare(b.Filed, a.Filed), cmp.Compare(b.Review, a.Review), cmp.Compare(a.Type, b.Type))
	})
	return err
}

func (r *Reader) failures(ctx context.Context, f Filter, s *Summary) (err error) {
	cond, args := f.finished()
	s.Failures, err = r.reasons(ctx, `INDEXED BY documents_failed WHERE d.state = 'failed' AND `+cond, args)
	return err
}

func (r *Reader) troubles(ctx context.Context, f Filter, s *Summary) (err error) {
	kind, args := f.ofKind()
	s.Troubles, err = r.reasons(ctx, `WHERE `+unfinished+` AND d.error IS NOT NULL AND `+kind, args)
	return err
}

// reasons returns the most frequent ones.
func (r *Reader) reasons(ctx context.Context, from string, args []any) (all []Reason, err error) {
	err = r.each(ctx, `SELECT coalesce(d.error, ''), count(*) AS n FROM documents d `+from+`
		GROUP BY 1 ORDER BY n DESC, 1 LIMIT 100`, args, func(row scanner) error {
		var reason Reason
		err := row.Scan(&reason.Reason, &reason.Count)
		all = append(all, reason)
		return err
	})
	return all, err
}

// Documents calls f for every document that the filter selects, oldest first,
// until f returns an error.
func (r *Reader) Documents(ctx context.Context, filter Filter, f func(*Document) error) error {
	where, args := filter.where()
	var given error
	err := r.eachDocument(ctx, where+` ORDER BY d.id`, args, func(d *Document) error {
		given = f(d)
		return given
	})
	if err != nil && !errors.Is(err, given) {
		return r.result(err)
	}
	return r.stoodStill(err)
}

// eachDocument calls f for every document that a condition selects.
func (r *Reader) eachDocument(ctx context.Context, cond string, args []any, f func(*Document) error) error {
	var c columns
	return r.each(ctx, selectDocuments+` WHERE `+cond, args, func(row scanner) error {
		d, err := c.document(row)
		if err != nil {
			return err
		}
		return f(&d)
	})
}

// each calls f for every row of a query.
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
