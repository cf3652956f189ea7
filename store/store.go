package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// Config says which database to open.
type Config struct {
	// Path of the SQLite file. Beside it stand its -wal and -shm files, which
	// stay when the store is closed so that a reader without write access can
	// open it, and a -lock file.
	Path string
	// Logger may be nil.
	Logger *slog.Logger
}

// Store is the record with the right to change it. All methods may be called
// from any goroutine.
type Store struct {
	path string
	log  *slog.Logger
	lock *os.File

	db   *sql.DB   // of the one writing connection
	conn *sql.Conn // owned by the writer goroutine
	read *sql.DB   // read-only connections

	changes chan change
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

	polls pollCount
}

// Open opens the database for the daemon, and makes it where there is none. It
// fails with [ErrRunning] where another daemon has it, and with [ErrUnusable],
// having changed nothing, where the file is damaged, from a newer version or
// another program's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	lock, err := lockFile(cfg.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: cfg.Path, log: log, lock: lock,
		changes: make(chan change), closing: make(chan struct{}), closed: make(chan struct{}),
		polls: pollCount{counted: make(chan struct{}, 1)},
	}
	if err := s.open(ctx); err != nil {
		s.closeFiles()
		return nil, err
	}
	go s.runWriter()
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := create(ctx, s.path); err != nil {
		return err
	}
	if s.db, s.conn, err = connect(ctx, s.path, "rw"); err != nil {
		return err
	}
	if err := check(ctx, s.conn, s.path); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn, s.path); err != nil {
		return err
	}
	s.read, err = openReading(s.path)
	return err
}

// Close waits for the changes under way and closes the files. No other method
// may be called after it.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		<-s.closed
		err = s.closeFiles()
	})
	return err
}

func (s *Store) closeFiles() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close()) // first, so that the writer closes last and keeps the -wal file
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// dsn names the file and the settings that each connection gets. The driver
// ignores misspelt keys in silence, so [check] reads the settings back.
func dsn(path, mode string) string {
	q := url.Values{
		"mode":          {mode},
		"_synchronous":  {"FULL"}, // the driver's own default would lose commits at a power cut
		"_txlock":       {"immediate"},
		"_foreign_keys": {"on"},
		"_busy_timeout": {"5000"},
	}
	if mode == "rw" {
		q.Set("_journal_mode", "WAL")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// connect opens the one connection that writes.
func connect(ctx context.Context, path, mode string) (*sql.DB, *sql.Conn, error) {
	db, err := sql.Open("sqlite3", dsn(path, mode))
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("open database %s: %w", path, unusable(path, err))
	}
	err = conn.Raw(func(driver any) error {
		return driver.(*sqlite3.SQLiteConn).SetFileControlInt("main", sqlite3.SQLITE_FCNTL_PERSIST_WAL, 1)
	})
	if err != nil {
		conn.Close()
		db.Close()
		return nil, nil, fmt.Errorf("open database %s: keep the -wal file: %w", path, err)
	}
	return db, conn, nil
}

// openReading opens the pool of read-only connections.
func openReading(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn(path, "ro"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	return db, nil
}

// check refuses a file that is not ours, is from a newer version, is damaged,
// or was opened with other settings than the durability rests on.
func check(ctx context.Context, conn *sql.Conn, path string) error {
	var app, version int
	if err := pragma(ctx, conn, "application_id", &app); err != nil {
		return unusable(path, err)
	}
	if app != applicationID {
		return fmt.Errorf("%w: %s is a SQLite database of another program; nothing was changed; "+
			"set DOCUSORT_DATABASE to another file", ErrUnusable, path)
	}
	if err := pragma(ctx, conn, "user_version", &version); err != nil {
		return unusable(path, err)
	}
	if newest := len(migrations()); version > newest {
		return fmt.Errorf("%w: %s was written by a newer version of docusort (its schema is %d, this one knows %d); "+
			"nothing was changed; install the newer version", ErrUnusable, path, version, newest)
	}
	var verdict string
	if err := pragma(ctx, conn, "quick_check(1)", &verdict); err != nil {
		return unusable(path, err)
	}
	if verdict != "ok" {
		return unusable(path, fmt.Errorf("%w: %s", sqlite3.Error{Code: sqlite3.ErrCorrupt}, verdict))
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var have string
		if err := pragma(ctx, conn, name, &have); err != nil {
			return unusable(path, err)
		}
		if have != want {
			return fmt.Errorf("database %s: %s is %q, and durability needs %q; "+
				"is it on a filesystem without shared memory, such as a network share?", path, name, have, want)
		}
	}
	return nil
}

func pragma(ctx context.Context, conn *sql.Conn, name string, dest any) error {
	return conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(dest)
}

// create makes the database under another name and renames it when it is whole,
// so that a file of that name which is empty or half made was not made by us.
func create(ctx context.Context, path string) error {
	fi, err := os.Stat(path)
	switch {
	case err == nil && fi.Size() == 0:
		return fmt.Errorf("%w: %s is empty: the record that was there is lost; restore it from a backup, "+
			"or remove the file to start with an empty record", ErrUnusable, path)
	case err == nil:
		return nil
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
