package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// resolve follows a link at the database's path, as SQLite does, so that the
// files beside it, and the lock, are those of the database and not of the link.
// Two slashes at the start, which a URI takes for a host, become one.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("open database: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("open database: %s is a link to a file that does not exist; "+
			"is the disk mounted? Otherwise remove the link", path)
	}
	return filepath.Clean(path), nil
}

// create makes the database under another name and renames it when it is whole,
// so that a file of that name which is empty or half made was not made by us.
func create(ctx context.Context, path string) error {
	fi, err := os.Stat(path)
	switch {
	case err == nil:
		return present(path, fi)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open database: %w", err)
	}
	made := path + "-new"
	for _, left := range []string{made, made + "-journal"} {
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make database: %w", err)
		}
	}
	if err := build(ctx, made); err != nil {
		return fmt.Errorf("make database %s: %w", made, err)
	}
	if err := os.Rename(made, path); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// present refuses what cannot be a database, also where SQLite would take it
// for a new one.
func present(path string, fi fs.FileInfo) error {
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no file; set DOCUSORT_DATABASE to another path", ErrUnusable, path)
	}
	if fi.Size() < 512 { // SQLite's smallest page
		return fmt.Errorf("%w: %s is empty or cut short: the record that was there is lost; "+
			"restore it from a backup, or remove the file to start with an empty record", ErrUnusable, path)
	}
	return nil
}

// build writes an empty database with the whole schema.
func build(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", dsn(path, "rwc"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	return migrate(ctx, conn, path)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
