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

// Series adds up what the filter leaves in by the time at which it was finished.
// bounds are where one bucket ends and the next begins, in ascending order.
func (r *Reader) Series(ctx context.Context, f Filter, bounds []time.Time) ([]Bucket, error) {
	var all []Bucket
	for i := 1; i < len(bounds); i++ {
		b := Bucket{From: bounds[i-1], To: bounds[i]}
		if err := r.bucket(ctx, f, &b); err != nil {
			return nil, fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
		}
		all = append(all, b)
	}
	return all, r.stoodStill(nil)
}

// bucketPart is how many documents are added up at a time; tests make it small.
var bucketPart = 50_000

// bucket goes over its documents part by part, so that its memory depends on how
// many different times they took at the most.
func (r *Reader) bucket(ctx context.Context, f Filter, b *Bucket) error {
	took := make(bars)
	from, to := b.From.UnixMilli(), b.To.UnixMilli()
	for from < to {
		end := to
		err := r.conn.QueryRowContext(ctx, `SELECT finished_at FROM documents INDEXED BY documents_finished
			WHERE finished_at >= ? AND finished_at < ? ORDER BY finished_at LIMIT 1 OFFSET ?`,
			from, to, bucketPart).Scan(&end)
		switch {
		case err == nil:
			end++ // documents that were finished together stay together
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if err := r.part(ctx, f, from, end, b, took); err != nil {
			return err
		}
		from = end
	}
	b.Latency = took.latency()
	return nil
}

// part adds up the documents of a span. The times come in one piece of text,
// because a row for each would take several times as long.
func (r *Reader) part(ctx context.Context, f Filter, from, to int64, b *Bucket, took bars) error {
	var filed, review, failed, gone int
	var list sql.NullString
	where, args := f.where()
	err := r.conn.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE d.state = 'filed'),
			count(*) FILTER (WHERE d.state = 'review'), count(*) FILTER (WHERE d.state = 'failed'),
			count(*) FILTER (WHERE d.state = 'gone'),
			group_concat(iif(d.state IN ('filed', 'review'), max(d.finished_at - d.discovered_at, 0), NULL))
		FROM documents d INDEXED BY documents_finished
		WHERE d.finished_at >= ? AND d.finished_at < ? AND `+where, append([]any{from, to}, args...)...).
		Scan(&filed, &review, &failed, &gone, &list)
	if err != nil || !list.Valid {
		b.Failed, b.Gone = b.Failed+failed, b.Gone+gone
		return err
	}
	b.Filed, b.Review, b.Failed, b.Gone = b.Filed+filed, b.Review+review, b.Failed+failed, b.Gone+gone
	return took.addList(list.String)
}

// bars count how often each number of milliseconds occurs.
type bars map[int64]int

// addList counts numbers with commas between them. There may be millions, and
// most of them are like the one before or after: a slice for the small ones
// spares the looking up.
func (b bars) addList(list string) error {
	small := make([]int32, 1<<16)
	for len(list) > 0 {
		n, i := int64(0), 0
		for i < len(list) && list[i] != ',' {
			digit := list[i] - '0'
			if digit > 9 {
				return fmt.Errorf("%q is no number", list[:i+1])
			}
			n, i = n*10+int64(digit), i+1
		}
		if n < int64(len(small)) {
			small[n]++
		} else {
			b[n]++
		}
		list = list[min(i+1, len(list)):]
	}
	for ms, count := range small {
		if count > 0 {
			b[int64(ms)] += int(count)
		}
	}
	return nil
}

// latency finds the nearest-rank percentiles, as [Reader.Summary] does.
func (b bars) latency() *Latency {
	n := 0
	for _, count := range b {
		n += count
	}
	if n == 0 {
		return nil
	}
	order := slices.Sorted(maps.Keys(b))
	rank := func(percent int) time.Duration {
		want := (n*percent + 99) / 100
		for _, ms := range order {
			if want -= b[ms]; want <= 0 {
				return time.Duration(ms) * time.Millisecond
			}
		}
		panic("the bars do not add up")
	}
	return &Latency{P50: rank(50), P95: rank(95), Max: rank(100)}
}

// FirstFinished returns when the oldest finished document was finished; zero:
// there is none.
func (r *Reader) FirstFinished(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := r.conn.QueryRowContext(ctx, `SELECT min(finished_at) FROM documents WHERE finished_at IS NOT NULL`).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
	}
	return timeOf(at), r.stoodStill(nil)
}
