package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Commands of fcntl for locks that belong to the open file and not to the
// process (Linux, fcntl(2)): closing another descriptor of the same file does
// not drop them, and they can be looked at without taking them.
const (
	ofdGetLock = 36 // F_OFD_GETLK
	ofdSetLock = 37 // F_OFD_SETLK
)

func lockPath(database string) string { return database + "-lock" }

// lockFile takes the lock that one daemon at a time may have. It lasts until
// the file is closed or the process ends, however it ends.
func lockFile(database string) (*os.File, error) {
	f, err := os.OpenFile(lockPath(database), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("lock database %s: %w; make the folder %s first", database, err, filepath.Dir(database))
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("lock database %s: %w; let the user of the daemon write to %s",
			database, err, filepath.Dir(database))
	case err != nil:
		return nil, fmt.Errorf("lock database %s: %w", database, err)
	}
	err = syscall.FcntlFlock(f.Fd(), ofdSetLock, &syscall.Flock_t{Type: syscall.F_WRLCK})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		f.Close()
		return nil, fmt.Errorf("another docusort daemon is %w with the database %s; stop it first, "+
			"or give this one a DOCUSORT_HOME of its own", ErrRunning, database)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock database %s: %w", database, err)
	}
	return f, nil
}

// locked says whether a daemon has the database, without disturbing one that
// just starts.
func locked(database string) (bool, error) {
	f, err := os.OpenFile(lockPath(database), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether the daemon runs: %w", err)
	}
	defer f.Close()
	l := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), ofdGetLock, &l); err != nil {
		return false, fmt.Errorf("look whether the daemon runs: %w", err)
	}
	return l.Type != syscall.F_UNLCK, nil
}
