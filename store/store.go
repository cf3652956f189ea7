package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
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
	// Readers are told meanwhile.
	Patient bool
	// Fault, where not nil, is called before "open" and each "commit", and after
	// each "read" of the daemon. The error that it returns becomes that of the operation, and
	// a transaction is undone for it, so that a test can make each one fail. It
	// may be called by many goroutines at once. Never set outside tests.
	Fault func(op string) error
}

// Store is the record with the right to change it. All methods may be called
// from any goroutine.
type Store struct {
	path  string
	log   *slog.Logger
	lock  *os.File
	fault func(op string) error // never nil
	told  trouble               // what readers are told; the writer's, once there is one

	db   *sql.DB   // of the one writing connection
	conn *sql.Conn // owned by the writer goroutine
	read *sql.DB   // read-only connections

	changes   chan change
	changed   chan struct{} // holds one token: something was committed
	committed chan struct{} // the same, for who tells of events
	closing   chan struct{}
	closed    chan struct{}
	once      sync.Once

	busySince atomic.Int64 // Unix milliseconds: the transaction under way; 0: none

	stopCheck context.CancelFunc    // ends checkAll
	checked   chan struct{}         // closed when checkAll has ended
	damage    atomic.Pointer[error] // what makes the file unusable, or nil
	damaged   chan struct{}         // closed when that is known
}

// Open opens the database for the daemon, and makes it where there is none. It
// fails with [ErrRunning] where another daemon has it, and with [ErrUnusable],
// having changed nothing, where the file is damaged, from a newer version or
// another program's, or may not be written to. A database of more than 32 MB is
// checked from end to end only after Open has returned; see [Store.Damaged].
func Open(ctx context.Context, cfg Config) (*Store, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
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
	s := &Store{
		path: path, log: log, lock: lock, fault: cfg.Fault,
		changes: make(chan change), changed: make(chan struct{}, 1), committed: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
		damaged: make(chan struct{}),
	}
	if s.fault == nil {
		s.fault = func(string) error { return nil }
	}
	if err := s.openPatiently(ctx, cfg.Patient); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	go s.runWriter()
	checking, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopCheck, s.checked = stop, make(chan struct{})
	if large, err := isLarge(path); err == nil && large {
		go s.checkAll(checking)
	} else {
		close(s.checked)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := s.fault("open"); err != nil {
		return err
	}
	if err := create(ctx, s.path); err != nil {
		return err
	}
	if err := inspect(ctx, s.path); err != nil {
		return err
	}
	if s.db, s.conn, err = connect(ctx, s.path); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn, s.path); err != nil {
		return err
	}
	s.read, err = openReading(s.path)
	return err
}

// openPatiently opens the files, and leaves none open where it fails.
func (s *Store) openPatiently(ctx context.Context, patient bool) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := s.open(ctx)
		if err == nil {
			s.tell(nil)
			return nil
		}
		_ = s.closeFiles() // nothing was written that it could fail to write
		s.read, s.conn, s.db = nil, nil, nil
		if !patient || !DiskTrouble(err) || ctx.Err() != nil {
			return err
		}
		if s.told.code == 0 {
			s.log.Error("the database cannot be opened now; waiting for its disk", "err", err)
		}
		s.tell(err)
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
		s.stopCheck()
		close(s.closing)
		<-s.closed
		<-s.checked
		err = errors.Join(s.closeFiles(), s.lock.Close())
	})
	return err
}

func (s *Store) closeFiles() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close()) // first, so that the writer closes last and keeps the -wal file
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
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
