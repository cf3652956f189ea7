package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// The bytes of the -running file, which shows readers what the daemon does and
// excludes nobody. A lock takes no room and ends with the process, so that one can
// also tell what cannot be written to a full disk.
const (
	runningByte = 0 // a daemon runs
	writingByte = 1 // and can write; if not: since the file's modification time
)

func runningPath(database string) string { return database + "-running" }

// announce shows readers that a daemon runs and can write. It makes the file anew,
// and locks it before others may open it, so that none of them can take the lock
// or keep it from being taken. Where no file can be made the old one must do.
func (s *Store) announce() error {
	path := runningPath(s.path)
	made := path + "-new"
	_ = os.Remove(made) // left by a daemon that was killed here
	f, err := os.OpenFile(made, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		made = path
		f, err = os.OpenFile(made, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	}
	if err != nil {
		return err
	}
	mode := newMode
	if fi, err := os.Stat(s.path); err == nil {
		mode = fi.Mode()&0o044 | 0o600 // for all who can read the database
	}
	if err = setLock(f, ofdSetLock, syscall.F_WRLCK, runningByte, 2); err == nil {
		err = errors.Join(giveToOwner(f, s.path), f.Chmod(mode), os.Rename(made, path))
	}
	if err != nil {
		f.Close()
		return err
	}
	s.running.Close() // that of before, if any
	s.running = f
	return nil
}

// showTrouble lets readers know how the daemon's last attempt to write ended.
func (s *Store) showTrouble(err error) {
	troubled := DiskTrouble(err)
	if troubled == s.troubled {
		return
	}
	s.troubled = troubled
	if s.beside {
		return
	}
	if troubled {
		now := time.Now()
		_ = os.Chtimes(runningPath(s.path), now, now) // a reader sees by the time that this failed
		err = setLock(s.running, ofdSetLock, syscall.F_UNLCK, writingByte, 1)
	} else {
		err = s.announce() // nobody may have taken the lock meanwhile
	}
	if err != nil {
		s.log.Warn("cannot show readers whether the database can be written", "err", err)
	}
}

// running returns whether a daemon has the database, and since when it cannot write
// (zero: it can), without disturbing one that is just starting.
func running(database string) (runs bool, troubleSince time.Time, err error) {
	f, err := os.OpenFile(runningPath(database), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, time.Time{}, nil
	}
	if err != nil {
		return false, time.Time{}, fmt.Errorf("look whether the daemon is running: %w", err)
	}
	defer f.Close()
	writes := isLocked(f, writingByte) // first, as the daemon may end in between
	runs = isLocked(f, runningByte)
	if fi, err := f.Stat(); err == nil && runs && !writes {
		troubleSince = fi.ModTime()
	}
	return runs, troubleSince, nil
}

// troubleHold is what a reader shows while the daemon cannot write. A time from
// before the daemon's start is another one's: the time could not be set.
func troubleHold(path string, daemon int, since, started time.Time) *Hold {
	if since.Before(started) {
		since = time.Now()
	}
	return &Hold{Kind: HoldDisk, Since: since, Reason: "write database " + path + ": " + cmp.Or(lockedBy(path, daemon),
		"its disk is full, read-only or failing, or another program keeps it locked; the daemon's log says which")}
}
