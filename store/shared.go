package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
)

// OpenShared opens the database to change it beside a daemon, which may run or
// not: SQLite lets one of them write at a time, and the other waits. It makes
// nothing: [ErrNoDatabase] where there is none. One process at a time may do
// this, so that none trips over what another is at: [ErrShared].
func OpenShared(ctx context.Context, cfg Config) (*Store, error) {
	// The reader looks without changing anything whether the file is ours.
	r, err := OpenReader(ctx, cfg.Path)
	if err != nil {
		return nil, err
	}
	path := r.path
	if err := r.Close(); err != nil {
		return nil, err
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	lock, err := lockShared(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: path, log: log, lock: lock, fault: func(string) error { return nil },
		changes: make(chan change), changed: make(chan struct{}, 1), committed: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
		damaged:   make(chan struct{}),
		stopCheck: func() {}, checked: make(chan struct{}),
	}
	close(s.checked)
	if s.db, s.conn, err = connect(ctx, path); err == nil {
		s.read, err = openReading(path)
	}
	if err != nil {
		_ = errors.Join(s.closeFiles(), s.lock.Close()) // nothing was written
		return nil, err
	}
	go s.runWriter()
	return s, nil
}

// sharedByte is the byte of the lock file that stands for whoever writes beside
// the daemon, which has the one before.
const sharedByte = 1

// lockShared takes the lock of who writes beside the daemon. Where the file is
// missing it is made for the owner of the database, as SQLite does with the
// files that it makes for root.
func lockShared(database string) (*os.File, error) {
	fail := func(err error) (*os.File, error) {
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("open database %s for writing: %w; run this as the user that docusort runs as, or as root", database, err)
		}
		return nil, fmt.Errorf("lock database %s: %w", database, err)
	}
	made := !exists(lockPath(database))
	f, err := os.OpenFile(lockPath(database), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return fail(err)
	}
	if fi, err := os.Stat(database); err == nil && made && os.Geteuid() == 0 {
		owner := fi.Sys().(*syscall.Stat_t)
		if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			f.Close()
			return fail(err)
		}
	}
	err = syscall.FcntlFlock(f.Fd(), ofdSetLock, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: sharedByte, Len: 1})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		f.Close()
		return nil, fmt.Errorf("%w (%s); wait until it is done", ErrShared, database)
	}
	if err != nil {
		f.Close()
		return fail(err)
	}
	return f, nil
}
