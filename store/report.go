package store

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter selects what is reported. Its zero value selects everything.
type Filter struct {
	Since time.Time // leaves out what was finished before
	State State
	// Unfinished leaves out what was finished at any time, and Stuck what is not stuck.
	Unfinished, Stuck bool

	Type string
	// Name is part of the name in the inbox, folders included, or of the one that it was
	// filed under, or the document's number. Case matters only beyond ASCII.
	Name string
}

// and adds what the filter says of state, type and name to a condition.
func (f Filter) and(cond string, args ...any) (string, []any) {
	if f.State != "" {
		cond, args = cond+" AND d.state = ?", append(args, string(f.State))
	}
	if f.Unfinished {
		cond += " AND d." + unfinished
	}
	if f.Stuck {
		cond += " AND d.stuck = 1 AND " + inTrouble
	}
	if f.Type != "" {
		cond, args = cond+" AND d.type = (SELECT id FROM types WHERE code = ?)", append(args, f.Type)
	}
	if f.Name != "" {
		id, _ := strconv.ParseInt(f.Name, 10, 64) // 0 is the number of none
		// rtrim takes all of the path but its folders away.
		cond, args = cond+` AND (d.id = ? OR instr(lower(d.source), lower(?)) > 0 OR
			instr(lower(substr(d.target, length(rtrim(d.target, replace(d.target, '/', ''))) + 1)), lower(?)) > 0)`,
			append(args, id, f.Name, f.Name)
	}
	return cond, args
}

// Summary is what happened and what is going on.
type Summary struct {
	Totals   map[State]int // every state is there
	Types    []TypeCount   // most filed first
	Latency  *Latency      // nil: nothing was filed
	Oldest   time.Time     // discovery of the oldest unfinished document; zero: none
	Requests Requests
	Failures []Reason // most frequent first
	Stuck    []Reason // why documents are stuck, most frequent first
	Troubles []Reason // why other unfinished documents wait, most frequent first
	NotTaken []NotTaken
}

// TypeCount counts the documents of a type.
type TypeCount struct {
	Type           string
	Filed, Review  int
	MeanConfidence float64 // of those with one
	Rated          int     // those with a confidence: a person may have decided otherwise
}

// Latency is the time from discovery to filing.
type Latency struct{ P50, P95, Max time.Duration }

// Requests counts the requests to the service.
type Requests struct{ Submissions, Polls, Reused, Resubmissions int }

func (q *Requests) add(more Requests) {
	q.Submissions += more.Submissions
	q.Polls += more.Polls
	q.Reused += more.Reused
	q.Resubmissions += more.Resubmissions
}

// Reason counts the documents for which it was given.
type Reason struct {
	Reason string
	Count  int
}

// Summary summarises the documents that the filter selects, and lists the files that are
// no documents yet.
func (r *Reader) Summary(ctx context.Context, f Filter) (s Summary, err error) {
	if err = r.unfinished(ctx, f, &s); err != nil {
		return s, err
	}
	cond, args := f.and("d.finished_at >= ?", f.Since.UnixMilli())
	took, err := r.finished(ctx, cond, args, &s)
	s.Latency = took.latency()
	if err == nil {
		s.Failures, err = r.reasons(ctx, `INDEXED BY documents_failed WHERE d.state = 'failed' AND `+cond, args)
	}
	if err == nil {
		cond, args := f.and("d." + unfinished)
		s.Stuck, err = r.reasons(ctx, `INDEXED BY documents_trouble WHERE d.stuck = 1 AND `+inTrouble+` AND `+cond, args)
		if err == nil {
			s.Troubles, err = r.reasons(ctx, `WHERE d.error IS NOT NULL AND d.stuck = 0 AND `+cond, args)
		}
	}
	if err == nil {
		s.NotTaken, err = r.notTaken(ctx)
	}
	return s, err
}

// unfinished counts the unfinished documents and finds the one that was
// discovered first.
func (r *Reader) unfinished(ctx context.Context, f Filter, s *Summary) error {
	cond, args := f.and("d." + unfinished)
	s.Totals = make(map[State]int)
	for _, state := range States() {
		s.Totals[state] = 0
	}
	return r.each(ctx, func(row scanner) error {
		var state State
		var n int
		var first int64
		var q Requests
		err := row.Scan((*string)(&state), &n, &first, &q.Submissions, &q.Polls, &q.Reused, &q.Resubmissions)
		s.Totals[state] = n
		if at := time.UnixMilli(first); s.Oldest.IsZero() || at.Before(s.Oldest) {
			s.Oldest = at
		}
		s.Requests.add(q)
		return err
	}, `SELECT d.state, count(*), min(d.discovered_at), `+sumRequests+` FROM documents d WHERE `+cond+` GROUP BY d.state`, args...)
}

const sumRequests = `coalesce(sum(submissions), 0), coalesce(sum(polls), 0), coalesce(sum(reused), 0), coalesce(sum(resubmissions), 0)`

// maxReasons bounds how many reasons are returned.
const maxReasons = 100

// reasons returns why documents that a condition selects failed or wait, the most frequent
// reason first. Paths are left out, so that equal ones count together.
func (r *Reader) reasons(ctx context.Context, from string, args []any) (all []Reason, err error) {
	counts := make(map[string]int)
	err = r.each(ctx, func(row scanner) error {
		var why, source string
		var n int
		err := row.Scan(&why, &source, &n)
		counts[withoutPaths(why, source)] += n
		return err
	}, `SELECT iif(d.outcome = 'failed' AND d.finished_at IS NULL, 'cannot be moved to _failed, for which it is meant: ', '') ||
			coalesce(d.error, ''), min(d.source), count(*) FROM documents d `+from+` GROUP BY 1`, args...)
	for why, n := range counts {
		all = append(all, Reason{why, n})
	}
	slices.SortFunc(all, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason)) })
	return all[:min(len(all), maxReasons)], err
}

var quotedPath = regexp.MustCompile(`"/(?:[^"\\]|\\.)*"`)

func withoutPaths(why, source string) string {
	return quotedPath.ReplaceAllString(strings.ReplaceAll(why, strconv.Quote(source), "…"), "…")
}

// Documents calls f for every document that the filter selects, oldest first,
// until f returns an error.
func (r *Reader) Documents(ctx context.Context, filter Filter, f func(*Document) error) error {
	cond, args := filter.and("(d.finished_at IS NULL OR d.finished_at >= ?)", filter.Since.UnixMilli())
	return r.eachDocument(ctx, f, cond+` ORDER BY d.id`, args...)
}
