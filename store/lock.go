package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Commands of fcntl for locks that belong to the open file and not to the
// process (Linux, fcntl(2)): closing another descriptor of the same file does
// not drop them, and others can look at them without taking them.
const (
	ofdGetLock = 36 // F_OFD_GETLK
	ofdSetLock = 37 // F_OFD_SETLK
)

// The bytes of the lock file. A lock takes no room and ends with the process, so
// that one can also tell what cannot be written to a full disk.
const (
	daemonByte  = 0 // a daemon has the database
	sharedByte  = 1 // somebody changes the database beside the daemon
	troubleByte = 2 // the daemon cannot write; since the file's modification time
)

func lockPath(database string) string { return database + "-lock" }

func setLock(f *os.File, at int64, kind int16) error {
	return syscall.FcntlFlock(f.Fd(), ofdSetLock, &syscall.Flock_t{Type: kind, Start: at, Len: 1})
}

// isLocked reports whether another open file has a lock.
func isLocked(f *os.File, at int64) (bool, error) {
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Start: at, Len: 1}
	err := syscall.FcntlFlock(f.Fd(), ofdGetLock, &l)
	return l.Type != syscall.F_UNLCK, err
}

// takeLock takes the daemon's lock or that of whoever writes beside it. It lasts
// until the file is closed or the process ends.
func takeLock(database string, at int64) (*os.File, error) {
	f, err := openLock(database)
	if err == nil {
		if err = setLock(f, at, syscall.F_WRLCK); err == nil {
			return f, nil
		}
		f.Close()
	}
	taken := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && f != nil
	switch {
	case taken && at == daemonByte:
		return nil, fmt.Errorf("another docusort daemon is %w with the database %s; stop it first, "+
			"or give this one a DOCUSORT_HOME of its own", ErrRunning, database)
	case taken:
		return nil, fmt.Errorf("%w (%s); wait until it is done", ErrShared, database)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("lock database %s: %w; make the folder %s first", database, err, filepath.Dir(database))
	case at == daemonByte && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)):
		return nil, mayNotWrite(lockPath(database), err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open database %s for writing: %w; run this as the user that docusort runs as, or as root", database, err)
	}
	return nil, fmt.Errorf("lock database %s: %w", database, err)
}

// openLock opens the lock file, and makes it where it is missing: for the owner of
// the database, as SQLite does with the files that it makes for root.
func openLock(database string) (*os.File, error) {
	made := !exists(lockPath(database))
	f, err := os.OpenFile(lockPath(database), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	if fi, err := os.Stat(database); err == nil && made && os.Geteuid() == 0 {
		owner := fi.Sys().(*syscall.Stat_t)
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// locks returns whether a daemon has the database, and since when it cannot write
// (zero: it can), without disturbing one that is just starting.
func locks(database string) (running bool, troubleSince time.Time, err error) {
	f, err := os.OpenFile(lockPath(database), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, time.Time{}, nil
	}
	var troubled bool
	var fi fs.FileInfo
	if err == nil {
		defer f.Close()
		running, err = isLocked(f, daemonByte)
	}
	if err == nil {
		troubled, err = isLocked(f, troubleByte)
	}
	if err == nil {
		fi, err = f.Stat()
	}
	if err != nil {
		return false, time.Time{}, fmt.Errorf("look whether the daemon is running: %w", err)
	}
	if troubled {
		troubleSince = fi.ModTime()
	}
	return running, troubleSince, nil
}

// showTrouble lets readers know how the last attempt to write ended.
func (s *Store) showTrouble(err error) {
	troubled := DiskTrouble(err)
	if troubled == s.troubled {
		return
	}
	kind := int16(syscall.F_UNLCK)
	if troubled {
		kind = syscall.F_WRLCK
		now := time.Now()
		_ = os.Chtimes(lockPath(s.path), now, now) // a reader sees by the time that this failed
	}
	if err := setLock(s.lock, troubleByte, kind); err != nil {
		s.log.Warn("cannot show readers whether the database can be written", "err", err)
	}
	s.troubled = troubled
}

// troubleHold is what a reader shows while the daemon cannot write. A time from
// before the daemon's start is another one's: the time could not be set.
func troubleHold(path string, since, started time.Time) *Hold {
	if since.Before(started) {
		since = time.Now()
	}
	return &Hold{Kind: HoldDisk, Since: since, Reason: "write database " + path +
		": its disk is full, read-only or failing, or another program keeps it locked; the daemon's log says which"}
}
