package store

import (
	"context"
	"time"
)

// NotTaken is a file that lies in the inbox and is not a document yet.
type NotTaken struct {
	Path   string // relative to the inbox, raw bytes
	Reason string
	Since  time.Time // when it was first seen
}

// SetNotTaken records all files that are not taken, in place of those recorded before.
func (s *Store) SetNotTaken(ctx context.Context, files []NotTaken) error {
	return s.write(ctx, func(t *tx) error {
		err := t.do(`DELETE FROM not_taken`)
		for _, f := range files {
			if err == nil {
				err = t.do(`INSERT INTO not_taken (path, reason, since) VALUES (?, ?, ?)`, f.Path, f.Reason, f.Since.UnixMilli())
			}
		}
		return err
	})
}

// notTaken returns the files that are not taken, those waiting longest first. After a
// kill these are the ones of then.
func (r *Reader) notTaken(ctx context.Context) ([]NotTaken, error) {
	return list(ctx, &r.questions, func(row scanner) (f NotTaken, err error) {
		err = row.Scan(fields(&f.Path, &f.Reason, &f.Since)...)
		return f, err
	}, `SELECT path, reason, since FROM not_taken ORDER BY since, path`)
}
