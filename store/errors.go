package store

import (
	"cmp"
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

var (
	// ErrStale says that a document is no longer in the state that a transition
	// starts from: something else happened to it. Nothing was changed.
	ErrStale = errors.New("the document is in another state by now")
	// ErrMoving says that the earlier document at a place is just being moved
	// away, so that what lies there now cannot be admitted yet.
	ErrMoving = errors.New("the earlier document of this name is being moved")
	// ErrDuplicateJob says that the service returned the job id of another document.
	ErrDuplicateJob = errors.New("the service gave the job id of another document")
	// ErrRunning says that another daemon has the database.
	ErrRunning = errors.New("already running")
	// ErrShared says that another command is changing the database beside the daemon.
	ErrShared = errors.New("another docusort is changing the database")
	// ErrUnusable says that the database file is damaged, from a newer version,
	// another program's, or may not be written to. It was left as it is.
	ErrUnusable = errors.New("the database cannot be used")
	errClosed   = errors.New("the database is closed")
)

// DiskTrouble reports whether err comes from a disk that is full, broken or
// read-only, from another program that keeps the database locked, or from a
// machine without memory or descriptors. It may pass, and no document is to blame.
func DiskTrouble(err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) || errors.Is(err, ErrUnusable) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen,
		sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol, sqlite3.ErrNomem:
		return true
	}
	return false
}

const needsSharedMemory = "its filesystem does not let programs share memory, like some network shares and FUSE mounts; " +
	"set DOCUSORT_DATABASE to a local disk"

// isTaken reports whether a change was refused because another row has what is
// unique. Nothing of it was done.
func isTaken(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique
}

// explain adds to an error of SQLite what to do, where a person has to.
func explain(path string, err error) error {
	var e sqlite3.Error
	switch {
	case !errors.As(err, &e) || errors.Is(err, ErrUnusable):
	case e.Code == sqlite3.ErrNotADB || e.Code == sqlite3.ErrCorrupt:
		return fmt.Errorf("%w: %s: %w; nothing was changed; restore it from a backup, or move it away "+
			"together with its -wal and -shm files to start with an empty database", ErrUnusable, path, err)
	case e.Code == sqlite3.ErrIoErr && e.SystemErrno == syscall.ENODEV: // mmap(2)
		return fmt.Errorf("%w: %s: %w; %s", ErrUnusable, path, err, needsSharedMemory)
	case e.Code == sqlite3.ErrCantOpen && e.SystemErrno == syscall.EACCES:
		return fmt.Errorf("%w; run this as the user that docusort runs as, as a member of its group, or as root", err)
	case e.Code == sqlite3.ErrBusy:
		return fmt.Errorf("%w: %s", err, cmp.Or(lockedBy(path, 0), "another program kept a lock on it"))
	}
	return err
}
