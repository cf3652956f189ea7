package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
func (r *Reader) Series(ctx context.Context, f Filter, bounds []time.Time) (Series, error) {
	var s Series
	all := new(histogram)
	for i := 1; i < len(bounds); i++ {
		sum := tally{Bucket: Bucket{From: bounds[i-1], To: bounds[i]}, took: new(histogram)}
		if err := r.tally(ctx, f, sum.From.UnixMilli(), sum.To.UnixMilli(), &sum); err != nil {
			return Series{}, err
		}
		sum.Latency = sum.took.latency()
		sum.took.each(all.add)
		s.Buckets = append(s.Buckets, sum.Bucket)
	}
	s.Latency = all.latency()
	return s, nil
}

// tally adds up finished documents.
type tally struct {
	Bucket
	took *histogram // how long it took until they were filed

	// Of a summary only.
	types    map[int64]*typeSum // of those that were filed, by number; nil: not wanted
	requests Requests
}

// typeSum adds up the filed documents of one type.
type typeSum struct {
	filed, review, rated int
	confidence           int64 // of the rated ones, in millionths
}

// tallyPart is how many documents are added up at a time; tests make it small.
var tallyPart = 50_000

// tally adds up the documents that were finished at or after a time and before
// another. It goes part by part, so that its memory does not grow with their number.
func (r *Reader) tally(ctx context.Context, f Filter, from, to int64, t *tally) error {
	for from < to {
		end := to
		err := r.row(ctx, `SELECT finished_at + 1 FROM documents INDEXED BY documents_finished
			WHERE finished_at >= ? AND finished_at < ? ORDER BY finished_at LIMIT 1 OFFSET ?`,
			[]any{from, to, tallyPart}, &end) // documents that were finished together stay together
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := r.addPart(ctx, f, from, end, t); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// unrated stands for a document without a confidence, among millionths.
const unrated = 1<<21 - 1

// The numbers of many documents in one text: a row for each would take
// several times as long, and GROUP BY would sort them.
const (
	tookList = `group_concat(iif(d.state = 'filed' OR d.state = 'review', max(d.finished_at - d.discovered_at, 0), NULL))`
	// The type, whether it went to review, and the confidence, in one number.
	typeList = `group_concat(iif(d.state = 'filed' OR d.state = 'review', ((d.type << 1) + (d.state = 'review') << 21)
		+ coalesce(CAST(round(d.confidence * 1000000) AS INTEGER), (1 << 21) - 1), NULL))`
)

func (r *Reader) addPart(ctx context.Context, f Filter, from, to int64, t *tally) error {
	more := `NULL, 0, 0, 0, 0`
	if t.types != nil {
		more = typeList + `, ` + sumRequests
	}
	cond, args := f.and(`d.finished_at >= ? AND d.finished_at < ?`, from, to)
	var part Bucket
	var requests Requests
	var took, typed sql.NullString
	err := r.row(ctx, `SELECT count(*) FILTER (WHERE d.state = 'filed'),
			count(*) FILTER (WHERE d.state = 'review'), count(*) FILTER (WHERE d.state = 'failed'),
			count(*) FILTER (WHERE d.state = 'gone'), `+tookList+`, `+more+`
		FROM documents d INDEXED BY documents_finished WHERE `+cond, args,
		&part.Filed, &part.Review, &part.Failed, &part.Gone, &took, &typed,
		&requests.Submissions, &requests.Polls, &requests.Reused, &requests.Resubmissions)
	if err != nil {
		return err
	}
	t.Filed += part.Filed
	t.Review += part.Review
	t.Failed += part.Failed
	t.Gone += part.Gone
	t.requests.add(requests)
	return errors.Join(
		eachNumber(took.String, func(ms int64) { t.took.add(ms, 1) }),
		eachNumber(typed.String, t.addType))
}

// addType adds a number of [typeList].
func (t *tally) addType(n int64) {
	kind, confidence := n>>21, n&unrated
	sum := t.types[kind>>1]
	if sum == nil {
		sum = new(typeSum)
		t.types[kind>>1] = sum
	}
	if kind&1 == 1 {
		sum.review++
	} else {
		sum.filed++
	}
	if confidence != unrated {
		sum.rated++
		sum.confidence += confidence
	}
}

// eachNumber calls f for each of some numbers with commas between them.
func eachNumber(list string, f func(int64)) error {
	for len(list) > 0 {
		n, i := int64(0), 0
		for i < len(list) && list[i] != ',' {
			digit := list[i] - '0'
			if digit > 9 {
				return fmt.Errorf("%q is not a number", list[:i+1])
			}
			n, i = n*10+int64(digit), i+1
		}
		f(n)
		list = list[min(i+1, len(list)):]
	}
	return nil
}

// A histogram counts how often each number of milliseconds occurs. There may be
// millions, most of them small: those are counted in an array, because a map
// would take longer than reading them.
type histogram struct {
	total int
	small [1 << 16]int  // by milliseconds
	large map[int64]int // the others
}

func (h *histogram) add(ms int64, n int) {
	h.total += n
	if ms < int64(len(h.small)) {
		h.small[ms] += n
		return
	}
	if h.large == nil {
		h.large = make(map[int64]int)
	}
	h.large[ms] += n
}

// each calls f for each number that occurs, in ascending order.
func (h *histogram) each(f func(ms int64, n int)) {
	for ms, n := range h.small {
		if n > 0 {
			f(int64(ms), n)
		}
	}
	for _, ms := range slices.Sorted(maps.Keys(h.large)) {
		f(ms, h.large[ms])
	}
}

// latency finds the nearest-rank percentiles, each the smallest value that is
// not below that share of all; nil: there are none.
func (h *histogram) latency() *Latency {
	if h.total == 0 {
		return nil
	}
	var values [3]time.Duration
	seen := 0
	h.each(func(ms int64, n int) {
		for i, percent := range [...]int{50, 95, 100} {
			if rank := (h.total*percent + 99) / 100; seen < rank && rank <= seen+n {
				values[i] = time.Duration(ms) * time.Millisecond
			}
		}
		seen += n
	})
	return &Latency{P50: values[0], P95: values[1], Max: values[2]}
}
