package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"docusort/store"

	"golang.org/x/sys/unix"
)

// inboxLock is the file in an inbox by which a daemon keeps others from it: two of them
// would both pay for every document. Only its owner can open it, and watchers leave names
// like this alone.
const inboxLock = ".docusort-lock"

// lockInbox keeps other daemons from the inbox until the lock is closed, and so from the
// folders above and beneath it. [store.ErrRunning]: one of them has it. Where no lock can be
// made, as on a filesystem that has none, there is none.
func lockInbox(inbox string, log *slog.Logger) (io.Closer, error) {
	inbox, err := filepath.EvalSymlinks(inbox)
	if err != nil {
		return io.NopCloser(nil), nil // missing: it is waited for
	}
	for dir := filepath.Dir(inbox); ; dir = filepath.Dir(dir) {
		if isLocked(dir) {
			return nil, inboxTaken(inbox, dir)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	// Another of this process's descriptors of the file would end the lock when it is closed,
	// so that the folders beneath are looked at first.
	err = filepath.WalkDir(inbox, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == inboxLock && filepath.Dir(path) != inbox && isLocked(filepath.Dir(path)) {
			return inboxTaken(inbox, filepath.Dir(path))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(inbox, inboxLock), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err == nil {
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) && f != nil:
		f.Close()
		return nil, inboxTaken(inbox, inbox)
	}
	f.Close() // also where it is nil
	log.Warn("the inbox cannot be locked; see to it that no other docusort watches it", "err", err)
	return io.NopCloser(nil), nil
}

func inboxTaken(inbox, by string) error {
	return fmt.Errorf("%w: another docusort watches %q, and this one would watch %q: each document would be paid for twice; "+
		"give each an inbox of its own", store.ErrRunning, by, inbox)
}

// isLocked reports whether a daemon has the lock of a folder. It cannot tell where that
// daemon is another user's.
func isLocked(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, inboxLock), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	return unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}
