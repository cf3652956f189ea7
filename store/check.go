package store

import (
	"context"
	"fmt"
)

// Check looks at every page of the database: [ErrUnusable] where it is damaged.
func (r *Reader) Check(ctx context.Context) error {
	return r.stoodStill(quickCheck(ctx, r.conn, r.path))
}

// KnowsFolder says whether documents came from, or went to, a folder at a path.
func (r *Reader) KnowsFolder(ctx context.Context, path string) (known bool, err error) {
	err = r.conn.QueryRowContext(ctx, knowsFolder, path).Scan(&known)
	if err != nil {
		err = fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
	}
	return known, r.stoodStill(err)
}

const knowsFolder = `SELECT EXISTS (SELECT 1 FROM folders WHERE path = ?)`
