package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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

// Requests counts what the service was asked.
type Requests struct{ Submissions, Polls, Reused, Resubmissions int }

// Reason counts the documents for which it was given.
type Reason struct {
	Reason string
	Count  int
}

// Summary summarises the documents that the filter leaves in.
func (r *Reader) Summary(ctx context.Context, f Filter) (Summary, error) {
	return r.summary(ctx, f, r.groups, r.oldest, r.latency, r.failures, r.troubles)
}

// Totals is [Reader.Summary] without the latency, for those who have it from
// [Reader.Series].
func (r *Reader) Totals(ctx context.Context, f Filter) (Summary, error) {
	return r.summary(ctx, f, r.groups, r.oldest, r.failures, r.troubles)
}

func (r *Reader) summary(ctx context.Context, f Filter, parts ...func(context.Context, Filter, *Summary) error) (Summary, error) {
	var s Summary
	for _, part := range parts {
		if err := part(ctx, f, &s); err != nil {
			return Summary{}, fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
		}
	}
	return s, r.stoodStill(nil)
}

// groups adds up what can be added up, a group for each state and type: the
// finished documents in one pass over an index that has all that is needed, the
// unfinished ones from their own.
func (r *Reader) groups(ctx context.Context, f Filter, s *Summary) error {
	s.Totals = make(map[State]int)
	for _, state := range States() {
		s.Totals[state] = 0
	}
	types := make(map[string]*typeSum)
	where, args := f.where()
	for _, part := range []string{`d.finished_at IS NOT NULL`, unfinished} {
		err := r.each(ctx, `SELECT d.state, (SELECT code FROM types WHERE id = d.type), count(*), sum(d.submissions), sum(d.polls), sum(d.reused),
				sum(d.resubmissions), total(d.confidence), count(d.confidence)
			FROM documents d WHERE `+part+` AND `+where+` GROUP BY d.state, d.type`, args,
			func(row scanner) error { return s.addGroup(row, types) })
		if err != nil {
			return err
		}
	}
	for kind, sum := range types {
		s.Types = append(s.Types, sum.count(kind))
	}
	slices.SortFunc(s.Types, func(a, b TypeCount) int {
		return cmp.Or(cmp.Compare(b.Filed, a.Filed), cmp.Compare(b.Review, a.Review), cmp.Compare(a.Type, b.Type))
	})
	return nil
}

func (s *Summary) addGroup(row scanner, types map[string]*typeSum) error {
	var state State
	var kind sql.NullString
	var n, submissions, polls, reused, resubmissions, rated int
	var confidence float64
	err := row.Scan((*string)(&state), &kind, &n, &submissions, &polls, &reused, &resubmissions, &confidence, &rated)
	if err != nil {
		return err
	}
	s.Totals[state] += n
	s.Requests.Submissions += submissions
	s.Requests.Polls += polls
	s.Requests.Reused += reused
	s.Requests.Resubmissions += resubmissions
	if state == Filed || state == Review {
		if types[kind.String] == nil {
			types[kind.String] = &typeSum{}
		}
		types[kind.String].add(state, n, confidence, rated)
	}
	return nil
}

// oldest finds the unfinished document that was discovered first.
func (r *Reader) oldest(ctx context.Context, f Filter, s *Summary) error {
	where, args := f.where()
	var at sql.NullInt64
	err := r.conn.QueryRowContext(ctx, `SELECT min(d.discovered_at) FROM documents d WHERE `+unfinished+
		` AND `+where, args...).Scan(&at)
	s.Oldest = timeOf(at)
	return err
}

// typeSum gathers a type's states.
type typeSum struct {
	filed, review, rated int
	confidence           float64
}

func (t *typeSum) add(state State, n int, confidence float64, rated int) {
	if state == Filed {
		t.filed += n
	} else {
		t.review += n
	}
	t.confidence += confidence
	t.rated += rated
}

func (t *typeSum) count(kind string) TypeCount {
	return TypeCount{Type: kind, Filed: t.filed, Review: t.review, MeanConfidence: t.confidence / float64(max(t.rated, 1))}
}

// latency finds the nearest-rank percentiles, each the smallest value that is
// not below that share of all, from how often each value occurs: many documents
// take the same time to the millisecond. The bound of the time that it repeats is
// for the index.
func (r *Reader) latency(ctx context.Context, f Filter, s *Summary) error {
	took := newBars()
	where, args := f.where()
	err := r.each(ctx, `SELECT max(d.finished_at - d.discovered_at, 0) AS ms, count(*)
		FROM documents d INDEXED BY documents_finished WHERE d.finished_at >= ? AND (d.state = 'filed' OR d.state = 'review') AND `+where+` GROUP BY ms`,
		append([]any{f.Since.UnixMilli()}, args...),
		func(row scanner) error {
			var ms int64
			var n int
			err := row.Scan(&ms, &n)
			took.add(ms, n)
			return err
		})
	s.Latency = took.latency()
	return err
}

func (r *Reader) failures(ctx context.Context, f Filter, s *Summary) (err error) {
	s.Failures, err = r.reasons(ctx, f, `d.state = 'failed'`)
	return err
}

func (r *Reader) troubles(ctx context.Context, f Filter, s *Summary) (err error) {
	s.Troubles, err = r.reasons(ctx, f, unfinished+` AND d.error IS NOT NULL`)
	return err
}

// reasons returns the most frequent ones of the documents that cond leaves in.
func (r *Reader) reasons(ctx context.Context, f Filter, cond string) (all []Reason, err error) {
	where, args := f.where()
	err = r.each(ctx, `SELECT coalesce(d.error, ''), count(*) AS n FROM documents d WHERE `+cond+` AND `+where+`
		GROUP BY 1 ORDER BY n DESC, 1 LIMIT 100`, args, func(row scanner) error {
		var reason Reason
		err := row.Scan(&reason.Reason, &reason.Count)
		all = append(all, reason)
		return err
	})
	return all, err
}

// Documents hands every document that the filter leaves in to f, oldest first,
// until f returns an error.
func (r *Reader) Documents(ctx context.Context, filter Filter, f func(*Document) error) error {
	where, args := filter.where()
	var given error
	err := r.eachDocument(ctx, where+` ORDER BY d.id`, args, func(d *Document) error {
		given = f(d)
		return given
	})
	if err != nil && !errors.Is(err, given) {
		return fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
	}
	return r.stoodStill(err)
}

// eachDocument hands every document that a condition leaves in to f.
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
