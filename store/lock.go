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
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, mayNotWrite(lockPath(database), err)
	case err != nil:
		return nil, fmt.Errorf("lock database %s: %w", database, err)
	}
	err = syscall.FcntlFlock(f.Fd(), ofdSetLock, &syscall.Flock_t{Type: syscall.F_WRLCK, Len: 1})
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

// locks says whether a daemon has the database, and what trouble it tells of,
// without disturbing one that just starts.
func locks(database string) (running bool, told trouble, err error) {
	f, err := os.OpenFile(lockPath(database), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, trouble{}, nil
	}
	if err != nil {
		return false, trouble{}, fmt.Errorf("look whether the daemon runs: %w", err)
	}
	defer f.Close()
	daemon := syscall.Flock_t{Type: syscall.F_WRLCK, Len: 1}
	word := syscall.Flock_t{Type: syscall.F_WRLCK, Start: troubleStart}
	for _, l := range []*syscall.Flock_t{&daemon, &word} {
		if err := syscall.FcntlFlock(f.Fd(), ofdGetLock, l); err != nil {
			return false, trouble{}, fmt.Errorf("look whether the daemon runs: %w", err)
		}
	}
	if word.Type != syscall.F_UNLCK {
		told = trouble{code: int(word.Start - troubleStart), since: word.Len}
	}
	return daemon.Type != syscall.F_UNLCK, told, nil
}
