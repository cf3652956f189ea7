package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// Series adds up what the filter leaves in by the time at which it was finished.
// bounds are where one bucket ends and the next begins, in ascending order.
func (r *Reader) Series(ctx context.Context, f Filter, bounds []time.Time) (Series, error) {
	var s Series
	all, took := newBars(), newBars()
	for i := 1; i < len(bounds); i++ {
		b := Bucket{From: bounds[i-1], To: bounds[i]}
		took.clear()
		if err := r.bucket(ctx, f, &b, took); err != nil {
			return Series{}, fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
		}
		b.Latency = took.latency()
		all.merge(took)
		s.Buckets = append(s.Buckets, b)
	}
	s.Latency = all.latency()
	return s, r.stoodStill(nil)
}

// bucketPart is how many documents are added up at a time; tests make it small.
var bucketPart = 50_000

// bucket goes over its documents part by part, so that its memory depends on how
// many different times they took at the most.
func (r *Reader) bucket(ctx context.Context, f Filter, b *Bucket, took *bars) error {
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
	return nil
}

// part adds up the documents of a span. The times come in one piece of text,
// because a row for each would take several times as long.
func (r *Reader) part(ctx context.Context, f Filter, from, to int64, b *Bucket, took *bars) error {
	var filed, review, failed, gone int
	var list sql.NullString
	where, args := f.where()
	err := r.conn.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE d.state = 'filed'),
			count(*) FILTER (WHERE d.state = 'review'), count(*) FILTER (WHERE d.state = 'failed'),
			count(*) FILTER (WHERE d.state = 'gone'),
			group_concat(iif(d.state = 'filed' OR d.state = 'review', max(d.finished_at - d.discovered_at, 0), NULL))
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
