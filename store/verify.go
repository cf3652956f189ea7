package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"
)

// inspect refuses a file that is not ours, is from a newer version or is
// damaged. Its connection cannot write, so that a refused file and those beside it
// stay as they are: opening for writing would turn another program's database to
// WAL, and closing it again would copy a -wal file into it.
func inspect(ctx context.Context, path string) error {
	if err := lostChanges(path); err != nil {
		return err
	}
	if exists(path + "-journal") {
		// A program that turned WAL off was interrupted: SQLite must restore the old
		// pages first.
		return inspectWith(ctx, path, dsn(path, "rw"))
	}
	if !exists(path + "-wal") {
		// We hold the lock, so nobody else writes, and SQLite need not make -wal
		// and -shm files.
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
	if version == unreleased {
		return fmt.Errorf("%w: %s was written by a docusort from before its first release; nothing was changed; move it away "+
			"together with its -wal and -shm files to start with an empty database", ErrUnusable, path)
	}
	if newest := newestSchema(); version > newest {
		return fmt.Errorf("%w: %s was written by a newer version of docusort (its schema is %d, this one knows %d); "+
			"nothing was changed; install the newer version", ErrUnusable, path, version, newest)
	}
	large, err := isLarge(path)
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if large {
		return probe(ctx, conn, path)
	}
	return quickCheck(ctx, conn, path)
}

// checkedAtOnce is the size in bytes up to which a database is checked from end
// to end before it is opened, in a tenth of a second or so. It is a variable for
// the tests.
var checkedAtOnce int64 = 32 << 20

func isLarge(path string) (bool, error) {
	fi, err := os.Stat(path)
	return err == nil && fi.Size() > checkedAtOnce, err
}

// quickCheck looks at every page.
func quickCheck(ctx context.Context, conn *sql.Conn, path string) error {
	var verdict string
	if err := pragma(ctx, conn, "quick_check(1)", &verdict); err != nil {
		return fmt.Errorf("check database %s: %w", path, unusable(path, err))
	}
	if verdict != "ok" {
		return unusable(path, fmt.Errorf("%w: %s", sqlite3.Error{Code: sqlite3.ErrCorrupt}, verdict))
	}
	return nil
}

// probe reads what the daemon is going to work with: everything unfinished, and the
// newest documents. SQLite itself checks the length of the file. The rest is
// checked while the daemon runs.
func probe(ctx context.Context, conn *sql.Conn, path string) error {
	for _, query := range []string{
		`SELECT count(*) FROM (SELECT * FROM documents WHERE ` + unfinished + ` ORDER BY error)`,
		`SELECT count(*) FROM (SELECT * FROM documents ORDER BY id DESC LIMIT 1000)`,
		`SELECT count(*) FROM folders, option_sets`,
	} {
		var n int
		if err := conn.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return fmt.Errorf("check database %s: %w", path, unusable(path, err))
		}
	}
	return nil
}

// check looks at every page of a large database, beside the work.
type check struct {
	stop    context.CancelFunc
	running sync.WaitGroup
}

func (s *Store) startCheck(ctx context.Context) {
	ctx, s.check.stop = context.WithCancel(ctx)
	s.check.running.Go(func() {
		conn, err := s.read.Conn(ctx)
		if err == nil {
			err = quickCheck(ctx, conn, s.path)
			conn.Close()
		}
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, ErrUnusable):
			_ = s.noteDamage(err)
		default:
			s.log.Warn("cannot check the database", "err", err)
		}
	})
}

// ours returns the number of the schema, where the database is ours.
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

// The header of a -wal file (sqlite.org/fileformat2.html, "The WAL file"): its
// first four bytes are one of two numbers.
const (
	walHeader = 32
	walMagic  = 0x377f0682 // or one more
)

// lostChanges refuses a database whose -wal file is missing or garbage, which
// SQLite takes for an empty one. It has the newest commits, such as the ids of
// jobs that are paid for.
//
// The -wal file is made before the -shm file and removed after it, and its header
// is on the disk before its first commit counts.
func lostChanges(path string) error {
	wal := path + "-wal"
	f, err := os.Open(wal)
	if errors.Is(err, fs.ErrNotExist) {
		if !exists(path + "-shm") {
			return nil // closed by sqlite3, or restored
		}
		return lost(path, fmt.Errorf("%s is missing, which was there when the daemon ended", wal))
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer f.Close()
	head := make([]byte, walHeader)
	if _, err := io.ReadFull(f, head); err != nil || bytes.Equal(head, make([]byte, walHeader)) {
		return nil // nothing was committed to it
	}
	if binary.BigEndian.Uint32(head)&^1 != walMagic {
		return lost(path, fmt.Errorf("%s is damaged", wal))
	}
	return nil
}

func lost(path string, err error) error {
	return fmt.Errorf("%w: %w; the newest changes of %s are lost with it; nothing was changed; restore both from a backup, "+
		"or remove the -wal and -shm files to go on without them, which may submit documents again", ErrUnusable, err, path)
}

// damage is the first damage that was found.
type damage struct {
	err   atomic.Pointer[error]
	found chan struct{} // closed when there is one
}

// Damaged returns why the database cannot be used any more, once that is known:
// a read, a commit or the check beside the work found it damaged. From then on
// every change is refused with the same error, so that nothing is paid for that
// may not be stored. nil: ctx ended first.
func (s *Store) Damaged(ctx context.Context) error {
	select {
	case <-s.damage.found:
		return *s.damage.err.Load()
	case <-ctx.Done():
		return nil
	}
}

// noteDamage returns err, and remembers it where it is about damage.
func (s *Store) noteDamage(err error) error {
	if errors.Is(err, ErrUnusable) && s.damage.err.CompareAndSwap(nil, &err) {
		s.log.Error("the database is damaged; nothing more is written to it", "err", err)
		close(s.damage.found)
	}
	return err
}
