package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"

	_ "docusort/store/needscgo"
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
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", fmt.Errorf("open database: %s is a link to a file that does not exist; "+
			"is the disk mounted? Otherwise remove the link", path)
	}
	return filepath.Clean(path), nil
}

// create makes the database under another name and renames it when it is whole,
// so that an empty or half-made file of that name is never ours.
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
	f, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(f.Chmod(newMode), f.Close()) // SQLite gives its other files the same mode
	}
	if err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	err = connected(ctx, dsn(made, "rw"), func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s COMMIT;",
			applicationID, schema, documentsSchema))
		return err
	})
	if err != nil {
		return fmt.Errorf("make database %s: %w", made, err)
	}
	if err := os.Rename(made, path); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// newMode is the mode of a new database, whatever the umask.
const newMode fs.FileMode = 0o640

// connected calls f with a connection of its own.
func connected(ctx context.Context, dsn string, f func(*sql.Conn) error) error {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(conn)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// present refuses what cannot be a database, also where SQLite would take it
// for a new one.
func present(path string, fi fs.FileInfo) error {
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a file; set DOCUSORT_DATABASE to another path", ErrUnusable, path)
	}
	if fi.Size() < 512 { // SQLite's smallest page
		return fmt.Errorf("%w: %s is empty or cut short: the documents that it knew are lost; "+
			"restore it from a backup, or remove the file to start with an empty database", ErrUnusable, path)
	}
	return nil
}

// walLimit is the size in bytes that the -wal file is cut back to after a long
// read kept it from being reused, and to nothing when the store is closed.
const walLimit = 16 << 20

// dsn names the file and the settings that each connection gets. The driver
// ignores misspelt keys in silence, so [configure] reads the settings back.
func dsn(path, mode string, extra ...string) string {
	q := url.Values{
		"mode":          {mode},
		"_synchronous":  {"FULL"}, // the driver's own default would lose commits at a power cut
		"_txlock":       {"immediate"},
		"_foreign_keys": {"on"},
		"_busy_timeout": {"5000"},
		"_mutex":        {"no"}, // database/sql gives a connection to one goroutine at a time
		// The same few statements run for every document, and compiling one costs more than
		// running it.
		"_stmt_cache_size": {"64"},
	}
	for i := 0; i < len(extra); i += 2 {
		q.Set(extra[i], extra[i+1])
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// connect opens the connections, and leaves none open where it fails.
func (s *Store) connect(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			_ = s.disconnect() // nothing was written that it could fail to write
		}
	}()
	if s.db, err = sql.Open("sqlite3", dsn(s.path, "rw", "_journal_mode", "WAL")); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if s.conn, err = s.db.Conn(ctx); err == nil {
		err = configure(ctx, s.conn)
	}
	if err == nil {
		err = ours(ctx, s.conn, s.path) // the first read makes the -wal and -shm files
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", s.path, explain(s.path, err))
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	s.read, err = openReading(s.path)
	s.questions = questions{s.read, s.answer}
	return err
}

// inPlace refuses to go on while the database is not where it was, as where it was removed
// or its disk unmounted: nobody could find what is written to it. It may come back.
func (s *Store) inPlace() error {
	now, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, s.file) {
		return fmt.Errorf("%w: the file was removed or replaced while it was in use: put it back or, if it is lost, restore a backup and restart docusort",
			sqlite3.Error{Code: sqlite3.ErrCantOpen})
	}
	return nil
}

func (f *files) unlock() error {
	f.running.Close() // nil where there is none
	return f.lock.Close()
}

func (f *files) disconnect() error {
	var errs []error
	if f.read != nil {
		errs = append(errs, f.read.Close()) // first, so that the writer closes last and keeps the -wal file
	}
	if f.conn != nil {
		errs = append(errs, f.conn.Close())
	}
	if f.db != nil {
		errs = append(errs, f.db.Close())
	}
	f.db, f.conn, f.read = nil, nil, nil
	return errors.Join(errs...)
}

// configure makes the settings of the writing connection that a DSN cannot make,
// and checks the others.
func configure(ctx context.Context, conn *sql.Conn) error {
	err := conn.Raw(func(driver any) error {
		return driver.(*sqlite3.SQLiteConn).SetFileControlInt("main", sqlite3.SQLITE_FCNTL_PERSIST_WAL, 1)
	})
	if err != nil {
		return fmt.Errorf("keep the -wal file: %w", err)
	}
	// Otherwise SQLite keeps what would undo a statement in a file: two or three
	// writes a document, for nothing.
	if _, err := conn.ExecContext(ctx, "PRAGMA temp_store = MEMORY"); err != nil {
		return fmt.Errorf("keep temporary data in memory: %w", err)
	}
	var limit int
	if err := pragma(ctx, conn, fmt.Sprintf("journal_size_limit = %d", walLimit), &limit); err != nil {
		return err
	}
	for _, setting := range []struct{ name, want string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
	} {
		var have string
		if err := pragma(ctx, conn, setting.name, &have); err != nil {
			return err
		}
		if have != setting.want {
			return fmt.Errorf("%w: %s is %q, and durability needs %q; %s",
				ErrUnusable, setting.name, have, setting.want, needsSharedMemory)
		}
	}
	return nil
}

// openReading opens the pool of read-only connections.
func openReading(path string, extra ...string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn(path, "ro", extra...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	return db, nil
}

func pragma(ctx context.Context, conn *sql.Conn, name string, dest any) error {
	return conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(dest)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// writable refuses a database that the daemon may not write to, before it is
// opened: SQLite would open it for reading instead, and fail the first commit.
func writable(path string) error {
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		err := syscall.Access(file, accessWrite)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return mayNotWrite(file, err)
		}
	}
	return nil
}

const accessWrite = 2 // W_OK of access(2)

// mayNotWrite says what to do where the daemon may not write.
func mayNotWrite(file string, err error) error {
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: write %s: %w; mount the disk for writing, or set DOCUSORT_DATABASE to another one",
			ErrUnusable, file, err)
	}
	return fmt.Errorf("%w: write %s: %w; let user %d, which docusort runs as, write to it and to the folder %s",
		ErrUnusable, file, err, os.Geteuid(), filepath.Dir(file))
}
