package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Config says which database to open.
type Config struct {
	// Path of the SQLite file. Beside it stand its -wal and -shm files, which
	// stay when the store is closed so that a reader without write access can
	// open it, and a -lock file.
	Path string
	// Logger may be nil.
	Logger *slog.Logger
	// Patient makes Open wait for a disk that is full or broken, until its ctx is
	// done, as the daemon does later: it goes on by itself when there is room.
	// Readers see that meanwhile.
	Patient bool
	// Fault lets tests make operations fail: it is called before "open" and each
	// "commit", and after each "read" of the daemon, by many goroutines at once. Its
	// error becomes that of the operation, and the transaction is undone.
	Fault func(op string) error
}

// Store is the database with the right to change it. All methods may be called
// from any goroutine.
type Store struct {
	path     string
	log      *slog.Logger
	lock     *os.File
	fault    func(op string) error // never nil
	troubled bool                  // what readers see of the disk; the writer's, once there is one

	files
	writer
	changed   chan struct{} // holds one token: something was committed
	committed chan struct{} // the same, for whoever runs the hook
	check     check
	damage    damage
}

// files are the connections.
type files struct {
	db   *sql.DB   // of the one writing connection
	conn *sql.Conn // owned by the writer goroutine
	read *sql.DB   // read-only connections
}

// newStore returns a store whose files are still to be opened.
func newStore(cfg Config, path string, lock *os.File) *Store {
	s := &Store{
		path: path, log: cfg.Logger, lock: lock, fault: cfg.Fault,
		writer:  writer{changes: make(chan change), closing: make(chan struct{}), closed: make(chan struct{})},
		changed: make(chan struct{}, 1), committed: make(chan struct{}, 1),
		check: check{stop: func() {}}, damage: damage{found: make(chan struct{})},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.fault == nil {
		s.fault = func(string) error { return nil }
	}
	return s
}

// Open opens the database for the daemon, and makes it where there is none. It
// fails with [ErrRunning] where another daemon has it, and with [ErrUnusable],
// having changed nothing, where the file is damaged, from a newer version or
// another program's, or may not be written to. A database of more than 32 MB is
// checked from end to end only after Open has returned; see [Store.Damaged].
func Open(ctx context.Context, cfg Config) (*Store, error) {
	path, err := resolve(cfg.Path)
	if err != nil {
		return nil, err
	}
	if err := writable(path); err != nil {
		return nil, err
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	s := newStore(cfg, path, lock)
	if err := s.openPatiently(ctx, cfg.Patient); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	go s.runWriter()
	if large, err := isLarge(path); err == nil && large {
		s.startCheck(context.WithoutCancel(ctx))
	}
	return s, nil
}

// OpenShared opens the database to change it beside a daemon, whether one runs or
// not: SQLite lets one of them write at a time, and the other waits. It makes
// nothing: [ErrNoDatabase] where there is none. One process at a time may do this,
// so that two do not disturb each other: [ErrShared].
func OpenShared(ctx context.Context, cfg Config) (*Store, error) {
	r, err := OpenReader(ctx, cfg.Path) // looks, without changing anything, whether the file is ours
	if err != nil {
		return nil, err
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	lock, err := lockShared(r.path)
	if err != nil {
		return nil, err
	}
	s := newStore(cfg, r.path, lock)
	if err := s.connect(ctx, r.path); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	go s.runWriter()
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := s.fault("open"); err != nil {
		return err
	}
	if err := create(ctx, s.path); err != nil {
		return err
	}
	if err := inspect(ctx, s.path); err != nil {
		return err
	}
	return s.connect(ctx, s.path)
}

// openPatiently opens the files, and leaves none open where it fails.
func (s *Store) openPatiently(ctx context.Context, patient bool) error {
	if !patient {
		return s.open(ctx)
	}
	return WaitForDisk(ctx, s.log, func(ctx context.Context) error {
		err := s.open(ctx)
		s.showTrouble(err)
		return err
	})
}

// WaitForDisk calls do until the disk of the database allows it, and logs the first
// trouble. It returns any other error, and ends with ctx.
func WaitForDisk(ctx context.Context, log *slog.Logger, do func(context.Context) error) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := do(ctx)
		if !DiskTrouble(err) {
			return err
		}
		if pause == time.Second {
			log.Error("the database cannot be used now; waiting for its disk", "err", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Close waits for the changes under way and closes the files. No other method
// may be called after it.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		s.check.stop()
		close(s.closing)
		<-s.closed
		s.check.running.Wait()
		err = errors.Join(s.closeFiles(), s.lock.Close())
	})
	return err
}

// Changed returns a channel that holds a token when something was committed since
// one was last taken. It is for one listener.
func (s *Store) Changed() <-chan struct{} { return s.changed }

func (s *Store) noteChange() {
	for _, c := range []chan struct{}{s.changed, s.committed} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
