package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// applicationID marks the file as ours ("docs" in ASCII); SQLite keeps it in
// the file's header.
const applicationID = 0x646f6373

// unreleased is the number of the schema that was in use before the first release.
// Databases with it are refused.
const unreleased = 1

//go:embed migration/*.sql
var migrationFiles embed.FS

// migrations returns the steps from an empty database to the newest schema, in
// order. A step that has been released is never changed.
func migrations() (steps []string) {
	files, _ := fs.Glob(migrationFiles, "migration/*.sql") // sorted; they are part of the binary
	for _, file := range files {
		b, _ := migrationFiles.ReadFile(file)
		steps = append(steps, string(b))
	}
	return steps
}

// newestSchema is the number of the schema that this docusort works with.
func newestSchema() int { return unreleased + len(migrations()) }

// migrate brings the schema up to date, each step in a transaction of its own
// together with the number that says that it was done.
func migrate(ctx context.Context, conn *sql.Conn, path string) error {
	var version int
	if err := pragma(ctx, conn, "user_version", &version); err != nil {
		return unusable(path, err)
	}
	for i, step := range migrations() {
		number := unreleased + i + 1
		if number <= version {
			continue
		}
		sql := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d;\nCOMMIT;", step, number)
		if _, err := conn.ExecContext(ctx, sql); err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK")
			return fmt.Errorf("database %s: migrate to schema %d: %w", path, number, err)
		}
	}
	return nil
}
