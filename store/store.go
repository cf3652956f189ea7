package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
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
	// open it, and the -lock and -running files.
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
	questions
	files
	path  string
	log   *slog.Logger
	fault func(op string) error // never nil

	changes   chan change   // to the writer
	busySince atomic.Int64  // Unix milliseconds: the transaction under way; 0: none
	changed   chan struct{} // holds one token: something was committed
	committed chan struct{} // the same, for whoever runs the hook

	damaged    context.Context // ends when damage is found, which is its cause
	setDamaged context.CancelCauseFunc
	lifetime
	shown
}

// files are the open ones.
type files struct {
	lock    *os.File    // while it is open nobody else may have what it locks
	running *os.File    // with the daemon's locks that readers see
	file    fs.FileInfo // of the database
	db      *sql.DB     // of the one writing connection
	conn    *sql.Conn   // owned by the writer goroutine
	read    *sql.DB     // read-only connections
}

// lifetime ends with Close.
type lifetime struct {
	closing  context.Context
	stop     context.CancelFunc
	once     sync.Once
	writing  sync.WaitGroup
	checking sync.WaitGroup
}

// shown is what others were told; the writer's, once there is one.
type shown struct {
	beside   bool  // nothing is shown: this is not the daemon
	troubled bool  // readers see that the disk fails
	walSize  int64 // the -wal file's, when it was last warned about
}

// newStore returns a store whose database is still to be opened.
func newStore(cfg Config, path string, lock *os.File) *Store {
	s := &Store{
		path: path, log: cfg.Logger, fault: cfg.Fault, files: files{lock: lock},
		changes: make(chan change), changed: make(chan struct{}, 1), committed: make(chan struct{}, 1),
	}
	s.damaged, s.setDamaged = context.WithCancelCause(context.Background())
	s.closing, s.stop = context.WithCancel(context.Background())
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
	lock, err := takeLock(path, daemonByte)
	if err != nil {
		return nil, err
	}
	// Whoever removes the -lock file, taking it for a stale one, ends no daemon.
	if runs, _, _ := running(path); runs {
		lock.Close()
		return nil, alreadyRunning(path)
	}
	s := newStore(cfg, path, lock)
	if err := s.announce(); err != nil {
		s.log.Warn("cannot show readers that a daemon runs", "err", err)
	}
	if cfg.Patient {
		err = WaitForDisk(ctx, s.log, func(ctx context.Context) error {
			err := s.open(ctx)
			s.showTrouble(err)
			return err
		})
	} else {
		err = s.open(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	s.writing.Go(s.runWriter)
	if isLarge(path) {
		s.checking.Go(s.checkAll)
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
	lock, err := takeLock(r.path, sharedByte)
	if err != nil {
		return nil, err
	}
	s := newStore(cfg, r.path, lock)
	s.beside = true
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	s.writing.Go(s.runWriter)
	return s, nil
}

// open opens the database, and leaves nothing open where it fails.
func (s *Store) open(ctx context.Context) error {
	if err := s.fault("open"); err != nil {
		return explain(s.path, err)
	}
	if err := create(ctx, s.path); err != nil {
		return err
	}
	if err := inspect(ctx, s.path); err != nil {
		return err
	}
	return s.connect(ctx)
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
		s.stop()
		s.writing.Wait()
		s.checking.Wait()
		err = errors.Join(s.disconnect(), s.unlock())
	})
	return err
}

// answer makes the error of an answer.
func (s *Store) answer(err error) error {
	if err == nil {
		err = s.fault("read")
	}
	if err == nil {
		return nil
	}
	return s.noteDamage(fmt.Errorf("read database %s: %w", s.path, explain(s.path, err)))
}

// Damaged returns why the database cannot be used any more, once that is known:
// a read, a commit or the check beside the work found it damaged. From then on
// every change is refused with the same error, so that nothing is paid for that
// may not be stored. nil: ctx ended first.
func (s *Store) Damaged(ctx context.Context) error {
	select {
	case <-s.damaged.Done():
		return context.Cause(s.damaged)
	case <-ctx.Done():
		return nil
	}
}

// noteDamage returns err, and remembers it where it is the first about damage.
func (s *Store) noteDamage(err error) error {
	if errors.Is(err, ErrUnusable) && s.damaged.Err() == nil {
		if s.setDamaged(err); context.Cause(s.damaged) == err { // nobody else was first
			s.log.Error("the database is damaged; nothing more is written to it", "err", err)
		}
	}
	return err
}

// Changed returns a channel that holds a token when something was committed since
// one was last taken. It is for one listener.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Committed is Changed for whoever runs the hook, so that nobody need poll for events.
func (s *Store) Committed() <-chan struct{} { return s.committed }

func (s *Store) noteChange() {
	for _, c := range []chan struct{}{s.changed, s.committed} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
