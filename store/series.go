package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// Bucket is what was finished in a span of time, From included, To not.
type Bucket struct {
	From, To                    time.Time
	Filed, Review, Failed, Gone int
	Latency                     *Latency // of what was filed or went to review; nil: nothing did
}

// Series is what was finished in spans of time that follow each other.
type Series struct {
	Buckets []Bucket
	Latency *Latency // of all of them together
}

// Series adds up what the filter selects by the time at which it was finished.
// bounds are where one bucket ends and the next begins, in ascending order.
func (r *Reader) Series(ctx context.Context, f Filter, bounds []time.Time) (s Series, err error) {
	all := make(histogram)
	for i := 1; i < len(bounds); i++ {
		b := Bucket{From: bounds[i-1], To: bounds[i]}
		sum := Summary{Totals: make(map[State]int)}
		cond, args := f.and(`d.finished_at >= ? AND d.finished_at < ?`, b.From.UnixMilli(), b.To.UnixMilli())
		took, err := r.finished(ctx, cond, args, &sum)
		if err != nil {
			return Series{}, err
		}
		for ms, n := range took {
			all[ms] += n
		}
		b.Filed, b.Review, b.Failed, b.Gone = sum.Totals[Filed], sum.Totals[Review], sum.Totals[Failed], sum.Totals[Gone]
		b.Latency = took.latency()
		s.Buckets = append(s.Buckets, b)
	}
	s.Latency = all.latency()
	return s, nil
}

// finished counts the finished documents that a condition selects and those of each
// type, adds up their requests, and returns how long it took until they were filed.
func (r *Reader) finished(ctx context.Context, cond string, args []any, s *Summary) (histogram, error) {
	err := r.each(ctx, func(row scanner) error {
		var t TypeCount
		var failed, gone int
		var q Requests
		err := row.Scan(&t.Type, &t.Filed, &t.Review, &failed, &gone, &t.Rated, &t.MeanConfidence,
			&q.Submissions, &q.Polls, &q.Reused, &q.Resubmissions)
		s.Totals[Filed] += t.Filed
		s.Totals[Review] += t.Review
		s.Totals[Failed] += failed
		s.Totals[Gone] += gone
		s.Requests.add(q)
		if t.Filed+t.Review > 0 {
			s.Types = append(s.Types, t)
		}
		return err
	}, `SELECT coalesce((SELECT code FROM types WHERE id = d.type), ''),
			count(*) FILTER (WHERE d.state = 'filed'), count(*) FILTER (WHERE d.state = 'review'),
			count(*) FILTER (WHERE d.state = 'failed'), count(*) FILTER (WHERE d.state = 'gone'),
			count(d.confidence) FILTER (WHERE d.state = 'filed' OR d.state = 'review'),
			coalesce(avg(d.confidence) FILTER (WHERE d.state = 'filed' OR d.state = 'review'), 0), `+sumRequests+`
		FROM documents d INDEXED BY documents_finished WHERE `+cond+` GROUP BY d.type`, args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(s.Types, func(a, b TypeCount) int {
		return cmp.Or(cmp.Compare(b.Filed, a.Filed), cmp.Compare(b.Review, a.Review), cmp.Compare(a.Type, b.Type))
	})
	took := make(histogram)
	return took, r.each(ctx, func(row scanner) error {
		var ms int64
		err := row.Scan(&ms)
		took[ms]++
		return err
	}, `SELECT max(d.finished_at - d.discovered_at, 0) FROM documents d INDEXED BY documents_finished
		WHERE (d.state = 'filed' OR d.state = 'review') AND `+cond, args...)
}

// A histogram counts how often each number of milliseconds occurs.
type histogram map[int64]int

// latency finds the nearest-rank percentiles, each the smallest value that is
// not below that share of all; nil: there are none.
func (h histogram) latency() *Latency {
	total := 0
	for _, n := range h {
		total += n
	}
	if total == 0 {
		return nil
	}
	var values [3]time.Duration
	seen := 0
	for _, ms := range slices.Sorted(maps.Keys(h)) {
		for i, percent := range [...]int{50, 95, 100} {
			if rank := (total*percent + 99) / 100; seen < rank && rank <= seen+h[ms] {
				values[i] = time.Duration(ms) * time.Millisecond
			}
		}
		seen += h[ms]
	}
	return &Latency{P50: values[0], P95: values[1], Max: values[2]}
}
