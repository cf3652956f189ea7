package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"docusort/cmd/docusort/internal/doctor"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"

	"golang.org/x/sys/unix"
)

// inboxLocks returns the places of the file by which a daemon keeps others from an inbox:
// two of them would both pay for every document. It is beside the inbox or, where that is
// another mount or not ours to write to, in it. Only its owner can open it, and watchers leave
// names like these alone.
func inboxLocks(inbox string) (beside, inside string) {
	return filepath.Join(filepath.Dir(inbox), ".docusort-lock-"+filepath.Base(inbox)), filepath.Join(inbox, ".docusort-lock")
}

// lockInbox keeps other daemons from the inbox until the lock is closed, and so from the
// folders above and beneath it. [store.ErrRunning]: one of them has it. Where no lock can be
// made, as on a filesystem that has none, there is none. nil: the inbox is missing.
func lockInbox(s *settings.Settings, log *slog.Logger) (io.Closer, error) {
	inbox, err := filepath.EvalSymlinks(s.Inbox)
	if err != nil {
		return nil, nil // missing: it is locked when it is there
	}
	for dir := inbox; ; dir = filepath.Dir(dir) { // of its own two places the other may have chosen either
		if isLocked(dir) {
			return nil, inboxTaken(inbox, dir)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	switch err := checkBeneath(s, inbox); {
	case errors.Is(err, store.ErrRunning):
		return nil, err
	case err != nil:
		log.Error("a folder of docusort's own is seen through the inbox, and left alone there", "err", err)
	}
	beside, path := inboxLocks(inbox)
	if above := filepath.Dir(inbox); doctor.MountOf(above) == doctor.MountOf(inbox) && unix.Access(above, unix.W_OK|unix.X_OK) == nil {
		path = beside
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
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

// checkBeneath looks through the folders of an inbox for the inbox of another daemon, and
// for folders of ours that are mounted there: the watcher leaves them alone, but whoever drops
// documents there waits in vain.
func checkBeneath(s *settings.Settings, inbox string) error {
	ours := map[string]string{"DOCUSORT_SORTED": s.Sorted, "DOCUSORT_DATABASE": filepath.Dir(s.Database)}
	infos := make(map[string]fs.FileInfo)
	for name, path := range ours {
		if info, err := os.Stat(path); err == nil {
			infos[name] = info
		}
	}
	var found error
	err := filepath.WalkDir(inbox, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == inbox || !e.IsDir() {
			return nil
		}
		info, err := e.Info()
		for name, other := range infos {
			if err == nil && os.SameFile(info, other) {
				found = fmt.Errorf("%s: %q is %q inside the inbox, by a mount: choose places outside each other", name, ours[name], path)
				return fs.SkipDir
			}
		}
		if isLocked(path) {
			return inboxTaken(inbox, path)
		}
		return nil
	})
	return cmp.Or(err, found)
}

func inboxTaken(inbox, by string) error {
	return fmt.Errorf("%w: another docusort watches %q, and this one would watch %q: each document would be paid for twice; "+
		"give each an inbox of its own", store.ErrRunning, by, inbox)
}

// isLocked reports whether a daemon has a folder as its inbox. It cannot tell where that
// daemon is another user's.
func isLocked(dir string) bool {
	beside, inside := inboxLocks(dir)
	return slices.ContainsFunc([]string{beside, inside}, func(path string) bool {
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) // the mount may be read-only to us
		if err != nil {
			return false
		}
		defer f.Close()
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		return unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
	})
}
