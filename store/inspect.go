package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// inspect refuses a file that is not ours, is from a newer version or is
// damaged. It looks through a connection of its own that cannot write, so that
// a file which is refused stays as it is, to the byte, together with those
// beside it: opening it for writing would turn another program's database to
// WAL, and closing it again would copy a -wal file into it.
func inspect(ctx context.Context, path string) error {
	if exists(path + "-journal") {
		// Somebody turned WAL off and was cut off: SQLite must put the old
		// pages back before there is anything to look at.
		return inspectWith(ctx, path, dsn(path, "rw"))
	}
	if !exists(path + "-wal") {
		// Nobody but the holder of our lock writes it, so it stands still, and
		// no -wal and -shm files need to be made for looking at it.
		return inspectWith(ctx, path, dsn(path, "ro", "immutable", "1"))
	}
	return inspectWith(ctx, path, dsn(path, "ro"))
}

func inspectWith(ctx context.Context, path, dsn string) error {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open database %s: %w", path, unusable(path, err))
	}
	defer conn.Close()
	version, err := ours(ctx, conn, path)
	if err != nil {
		return err
	}
	if newest := len(migrations()); version > newest {
		return fmt.Errorf("%w: %s was written by a newer version of docusort (its schema is %d, this one knows %d); "+
			"nothing was changed; install the newer version", ErrUnusable, path, version, newest)
	}
	var verdict string
	if err := pragma(ctx, conn, "quick_check(1)", &verdict); err != nil {
		return fmt.Errorf("check database %s: %w", path, unusable(path, err))
	}
	if verdict != "ok" {
		return unusable(path, fmt.Errorf("%w: %s", sqlite3.Error{Code: sqlite3.ErrCorrupt}, verdict))
	}
	return nil
}

// ours returns the schema's version of a database that is one of ours.
func ours(ctx context.Context, conn *sql.Conn, path string) (version int, err error) {
	var app int
	if err := pragma(ctx, conn, "application_id", &app); err != nil {
		return 0, fmt.Errorf("open database %s: %w", path, unusable(path, err))
	}
	if app != applicationID {
		return 0, fmt.Errorf("%w: %s is a SQLite database of another program; nothing was changed; "+
			"set DOCUSORT_DATABASE to another file", ErrUnusable, path)
	}
	if err := pragma(ctx, conn, "user_version", &version); err != nil {
		return 0, fmt.Errorf("open database %s: %w", path, unusable(path, err))
	}
	return version, nil
}
