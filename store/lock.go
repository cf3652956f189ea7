package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
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

// The bytes of the -lock file, which excludes. Its mode is 0600: who may only read
// a file can take a shared lock on it all the same, and keep others from theirs.
const (
	daemonByte = 0 // a daemon has the database
	sharedByte = 1 // somebody changes the database beside the daemon
	alive      = 8 // so many bytes further on: the process of that lock is alive
)

// forkWait is how long a child may take from its fork to its exec.
const forkWait = 5 * time.Second

func setLock(f *os.File, command int, kind int16, at, length int64) error {
	return syscall.FcntlFlock(f.Fd(), command, &syscall.Flock_t{Type: kind, Start: at, Len: length})
}

// isLocked reports whether another open file, or a process, has an exclusive lock.
func isLocked(f *os.File, at int64) bool {
	l := syscall.Flock_t{Type: syscall.F_RDLCK, Start: at, Len: 1}
	return syscall.FcntlFlock(f.Fd(), ofdGetLock, &l) == nil && l.Type != syscall.F_UNLCK
}

// lock takes a lock of the -lock file. A child that a daemon was starting when it
// was killed has its open files, and so its lock, until the exec: lock waits for
// that. It knows such a child by the second lock, which children do not inherit.
func lock(f *os.File, at int64) error {
	for end := time.Now().Add(forkWait); ; time.Sleep(10 * time.Millisecond) {
		err := setLock(f, ofdSetLock, syscall.F_WRLCK, at, 1)
		if err == nil {
			return setLock(f, syscall.F_SETLK, syscall.F_WRLCK, at+alive, 1)
		}
		if !errors.Is(err, syscall.EAGAIN) || isLocked(f, at+alive) || time.Now().After(end) {
			return err
		}
	}
}

// takeLock takes the daemon's lock or that of whoever writes beside it. It lasts
// until the file is closed or the process ends.
func takeLock(database string, at int64) (*os.File, error) {
	path := database + "-lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err == nil {
		_ = f.Chmod(0o600) // where a filesystem has no modes they protect nothing
		if err = errors.Join(giveToOwner(f, database), lock(f, at)); err == nil {
			return f, nil
		}
		f.Close()
	}
	taken := errors.Is(err, syscall.EAGAIN)
	switch {
	case taken && at == daemonByte:
		return nil, alreadyRunning(database)
	case taken:
		return nil, fmt.Errorf("%w (%s); wait until it is done", ErrShared, database)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("lock database %s: %w; make the folder %s first", database, err, filepath.Dir(database))
	case at == daemonByte && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)):
		return nil, mayNotWrite(path, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("open database %s for writing: %w; run this as the user that docusort runs as, or as root", database, err)
	}
	return nil, fmt.Errorf("lock database %s: %w", database, err)
}

func alreadyRunning(database string) error {
	return fmt.Errorf("another docusort daemon is %w with the database %s; stop it first, "+
		"or give this one a DOCUSORT_HOME of its own", ErrRunning, database)
}

// giveToOwner gives a file that root made to the owner of the database, as SQLite
// does.
func giveToOwner(f *os.File, database string) error {
	fi, err := os.Stat(database)
	if err != nil || os.Geteuid() != 0 {
		return nil // there is none yet, or it is ours
	}
	owner := fi.Sys().(*syscall.Stat_t)
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// lockedBy returns which other program than the daemon keeps the database from being
// written, and what to do; "" where it sees none. It asks with SQLite's descriptors:
// closing one of its own would drop the locks that SQLite has in this process.
func lockedBy(database string, daemon int) string {
	open, _ := os.ReadDir("/proc/self/fd")
	for file, ask := range map[string]syscall.Flock_t{
		database + "-shm": {Type: syscall.F_WRLCK, Start: 120, Len: 3}, // write, checkpoint, recover: sqlite.org/walformat.html
		database:          {Type: syscall.F_RDLCK},
	} {
		want, err := os.Stat(file)
		for _, e := range open {
			is, statErr := os.Stat("/proc/self/fd/" + e.Name())
			if err != nil || statErr != nil || !os.SameFile(is, want) {
				continue
			}
			fd, _ := strconv.Atoi(e.Name())
			l := ask
			err := syscall.FcntlFlock(uintptr(fd), syscall.F_GETLK, &l)
			if err != nil || l.Type == syscall.F_UNLCK || l.Pid > 0 && int(l.Pid) == daemon {
				continue
			}
			who := "another program"
			if l.Pid > 0 {
				who += fmt.Sprintf(" (process %d)", l.Pid)
			}
			return fmt.Sprintf("%s keeps a lock on %s; 'fuser -v %[2]s', run as root, shows which: end it", who, file)
		}
	}
	return ""
}
