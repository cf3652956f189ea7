package store

import (
	"bytes"
	"context"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

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
	from := dsn(path, "ro")
	if exists(path + "-journal") {
		// A program that turned WAL off was interrupted: SQLite must restore the old
		// pages first.
		from = dsn(path, "rw")
	} else if !exists(path + "-wal") {
		// We hold the lock, so nobody else writes, and SQLite need not make -wal
		// and -shm files.
		from = dsn(path, "ro", "immutable", "1")
	}
	return checkError(path, connected(ctx, from, func(conn *sql.Conn) error {
		if err := ours(ctx, conn, path); err != nil {
			return err
		}
		if isLarge(path) {
			return nil // SQLite itself has checked its length
		}
		return quickCheck(ctx, conn)
	}))
}

// checkError says which database could not be checked, or that it is damaged.
func checkError(path string, err error) error {
	if err == nil || errors.Is(err, ErrUnusable) {
		return err
	}
	return fmt.Errorf("check database %s: %w", path, explain(path, err))
}

// checkedAtOnce is the size in bytes up to which a database is checked from end
// to end before it is opened, in a tenth of a second or so. It is a variable for
// the tests.
var checkedAtOnce int64 = 32 << 20

func isLarge(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Size() > checkedAtOnce
}

// quickCheck looks at every page.
func quickCheck(ctx context.Context, conn *sql.Conn) error {
	var verdict string
	if err := pragma(ctx, conn, "quick_check(1)", &verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", sqlite3.Error{Code: sqlite3.ErrCorrupt}, verdict)
	}
	return nil
}

// checkAll looks at every page of a large database, beside the work.
func (s *Store) checkAll() {
	conn, err := s.read.Conn(s.closing)
	if err == nil {
		err = checkError(s.path, quickCheck(s.closing, conn))
		conn.Close()
	}
	if err != nil && s.closing.Err() == nil && !errors.Is(s.noteDamage(err), ErrUnusable) {
		s.log.Warn("cannot check the database", "err", err)
	}
}

// applicationID marks the file as ours ("docs" in ASCII); SQLite keeps it in
// the file's header.
const applicationID = 0x646f6373

// schema is the number of documentsSchema, which SQLite keeps in the file's header.
const schema = 3

//go:embed migration/0001_documents.sql
var documentsSchema string

// ours refuses a database of another program, or with another schema.
func ours(ctx context.Context, conn *sql.Conn, path string) error {
	var app, version int
	if err := pragma(ctx, conn, "application_id", &app); err != nil {
		return err
	}
	if app != applicationID {
		return fmt.Errorf("%w: %s is a SQLite database of another program; nothing was changed; "+
			"set DOCUSORT_DATABASE to another file", ErrUnusable, path)
	}
	switch err := pragma(ctx, conn, "user_version", &version); {
	case err != nil:
		return err
	case version < schema:
		return fmt.Errorf("%w: %s was written by a docusort from before its first release; nothing was changed; move it away "+
			"together with its -wal and -shm files to start with an empty database", ErrUnusable, path)
	case version > schema:
		return fmt.Errorf("%w: %s was written by a newer version of docusort (its schema is %d, this one knows %d); "+
			"nothing was changed; install the newer version", ErrUnusable, path, version, schema)
	}
	return nil
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
// is on the disk before its first commit counts. A daemon may be making both.
func lostChanges(path string) error {
	wal := path + "-wal"
	f, err := os.Open(wal)
	if errors.Is(err, fs.ErrNotExist) {
		if !exists(path+"-shm") || exists(wal) {
			return nil // closed by sqlite3, or restored; or just made
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
