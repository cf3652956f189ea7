package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrNoDatabase says that there is no database yet.
var ErrNoDatabase = errors.New("there is no database yet")

// Reader reads the database as it is at one moment: whatever the daemon does
// meanwhile, all answers agree with each other. Close it soon, because the -wal
// file grows while it is open.
type Reader struct {
	path string
	db   *sql.DB
	conn *sql.Conn
	at   os.FileInfo // of the file that must stand still, or nil
}

// OpenReader opens the database for reading only, for anybody who can read the
// file and those beside it, whether a daemon runs or not. It fails with
// [ErrNoDatabase] where there is none and with [ErrUnusable] where the file is
// not one of ours.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrNoDatabase, path)
	case err != nil:
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := present(path, fi); err != nil {
		return nil, err
	}
	r := &Reader{path: path}
	if err = r.begin(ctx); err == nil {
		return r, nil
	}
	r.Close()
	var e sqlite3.Error
	readOnly := errors.As(err, &e) && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrCantOpen)
	switch {
	case !readOnly:
		return nil, err
	case exists(path+"-wal") && !exists(path+"-shm"):
		return nil, fmt.Errorf("%w: %s is missing, and may not be made here; start the daemon, "+
			"or look as the user that it runs as: %w", ErrUnusable, path+"-shm", err)
	case exists(path + "-wal"):
		return nil, err
	}
	// The files beside the database are gone, as after a restore or the use of
	// sqlite3, and may not be made here. Then the database itself has everything,
	// and can be read as long as nobody begins to write.
	r = &Reader{path: path, at: fi}
	if err := r.begin(ctx, "immutable", "1"); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// stoodStill returns err, or an error where the file was written meanwhile and the
// reader was opened without protection from that.
func (r *Reader) stoodStill(err error) error {
	if err != nil || r.at == nil {
		return err
	}
	fi, err := os.Stat(r.path)
	if err == nil && (exists(r.path+"-wal") || !os.SameFile(fi, r.at) ||
		fi.Size() != r.at.Size() || !fi.ModTime().Equal(r.at.ModTime())) {
		err = fmt.Errorf("read database %s: a daemon started meanwhile; try again", r.path)
	}
	return err
}

func (r *Reader) begin(ctx context.Context, extra ...string) (err error) {
	if r.db, err = openReading(r.path, extra...); err != nil {
		return err
	}
	if r.conn, err = r.db.Conn(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", r.path, unusable(r.path, err))
	}
	if _, err := r.conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return fmt.Errorf("read database %s: %w", r.path, err)
	}
	version, err := ours(ctx, r.conn, r.path)
	if err != nil {
		return err
	}
	if newest := newestSchema(); version != newest {
		return fmt.Errorf("%w: the schema of %s is %d, and this docusort reads %d; "+
			"use the docusort that the daemon is", ErrUnusable, r.path, version, newest)
	}
	return nil
}

// result is the error of an answer: which database could not be read, or that
// it was written meanwhile.
func (r *Reader) result(err error) error {
	if err != nil {
		return fmt.Errorf("read database %s: %w", r.path, unusable(r.path, err))
	}
	return r.stoodStill(nil)
}

// Close ends the reading.
func (r *Reader) Close() error {
	var errs []error
	if r.conn != nil {
		errs = append(errs, r.conn.Close())
	}
	if r.db != nil {
		errs = append(errs, r.db.Close())
	}
	return errors.Join(errs...)
}

// Daemon is what the database and its lock say about the daemon.
type Daemon struct {
	Running   bool
	PID       int       // of the daemon that runs, or ran last; 0: none ever did
	StartedAt time.Time // zero: none ever did
	StoppedAt time.Time // zero: runs, or was killed
	Hold      *Hold     // nil: none, or no daemon runs
}

// Daemon returns whether a daemon runs and what it waits for.
func (r *Reader) Daemon(ctx context.Context) (Daemon, error) {
	running, troubleSince, err := locks(r.path)
	if err != nil {
		return Daemon{}, err
	}
	d := Daemon{Running: running}
	var started, stopped, since, until sql.NullInt64
	var kind, reason sql.NullString
	err = r.conn.QueryRowContext(ctx, `SELECT pid, started_at, stopped_at, hold_kind, hold_reason, hold_since, hold_until
		FROM daemon`).Scan(&d.PID, &started, &stopped, &kind, &reason, &since, &until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // none while the first one starts
		return Daemon{}, fmt.Errorf("read database %s: %w", r.path, err)
	}
	d.StartedAt, d.StoppedAt = timeOf(started), timeOf(stopped)
	if running && kind.Valid {
		d.Hold = &Hold{Kind: HoldKind(kind.String), Reason: reason.String, Since: timeOf(since), Until: timeOf(until)}
	}
	// A stored hold says more, but need not have been stored.
	if !troubleSince.IsZero() && (d.Hold == nil || d.Hold.Kind != HoldAccount && d.Hold.Kind != HoldDisk) {
		d.Hold = troubleHold(r.path, troubleSince, d.StartedAt)
	}
	return d, r.stoodStill(nil)
}

// Check looks at every page of the database: [ErrUnusable] where it is damaged.
func (r *Reader) Check(ctx context.Context) error {
	return r.stoodStill(quickCheck(ctx, r.conn, r.path))
}

// KnowsFolder reports whether documents came from, or went to, a folder at a path.
func (r *Reader) KnowsFolder(ctx context.Context, path string) (known bool, err error) {
	err = r.conn.QueryRowContext(ctx, knowsFolder, path).Scan(&known)
	return known, r.result(err)
}
