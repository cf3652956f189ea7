package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// maxBatch bounds how many changes share one commit, so that the first of them
// does not wait for an endless queue.
const maxBatch = 512

// writer is the goroutine that owns the writing connection.
type writer struct {
	changes   chan change
	busySince atomic.Int64 // Unix milliseconds: the transaction under way; 0: none
	walSize   int64        // the -wal file's, when it was last warned about
	closing   chan struct{}
	closed    chan struct{}
	once      sync.Once
}

// change is one caller's transition, to be run in a transaction that it may
// share with others. It may run more than once, so it sets what it hands to its
// caller afresh each time.
type change struct {
	run  func(*tx) error
	done chan error // buffered, so that the writer never waits for a caller
}

// tx is what a change sees: the open transaction.
type tx struct {
	conn    *sql.Conn
	fault   func(op string) error
	stmts   map[string]*sql.Stmt
	known   numbers
	columns columns // of the document that is read
	now     int64   // Unix milliseconds, one time for all changes of a commit
}

// write hands a change to the writer and returns once it is durable. A context
// that ends stops the change only while it waits for its turn: from then on it
// is carried out, because its outcome must be known.
func (s *Store) write(ctx context.Context, run func(*tx) error) error {
	if ctx.Err() != nil { // select would choose by chance
		return context.Cause(ctx)
	}
	if err := s.damage.err.Load(); err != nil {
		return *err
	}
	c := change{run: run, done: make(chan error, 1)}
	select {
	case s.changes <- c:
		return <-c.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closing:
		return ErrClosed
	}
}

// runWriter owns the writing connection. While one commit is synced to the disk
// the next changes gather at the channel and share the following one.
func (s *Store) runWriter() {
	defer close(s.closed)
	t := &tx{conn: s.conn, fault: s.fault, stmts: make(map[string]*sql.Stmt), known: newNumbers()}
	defer t.close()
	var retry <-chan time.Time // while the disk fails: when to see whether it works again
	for {
		var batch []change
		select {
		case c := <-s.changes:
			batch = append(batch, c)
		case <-retry:
			batch = append(batch, change{run: (*tx).touch, done: make(chan error, 1)})
		case <-s.closing:
			return
		}
		// Callers of the last commit may have their next change ready: let them run
		// first, and two commits become one.
		runtime.Gosched()
	gather:
		for len(batch) < maxBatch {
			select {
			case c := <-s.changes:
				batch = append(batch, c)
			default:
				break gather
			}
		}
		s.showTrouble(s.commit(t, batch))
		s.watchWAL()
		if retry = nil; s.troubled {
			retry = time.After(troubleAgain)
		}
	}
}

// commit runs a batch in one transaction. A change that refuses (see isGuard) has
// written nothing and does not disturb the others. Any other error undoes the
// whole transaction; then each change runs in one of its own, so that only the one
// at fault fails. Where no transaction can be begun all fail at once. commit
// returns the last error that undid a transaction.
func (s *Store) commit(t *tx, batch []change) (last error) {
	s.busySince.Store(time.Now().UnixMilli())
	errs, err := t.transact(batch)
	s.busySince.Store(0)
	if err != nil && len(batch) > 1 && !errors.Is(err, errBegin) {
		for _, c := range batch {
			last = s.commit(t, []change{c})
		}
		return last
	}
	if err != nil {
		err = s.noteDamage(fmt.Errorf("write database %s: %w", s.path, unusable(s.path, err)))
	}
	for i, c := range batch {
		c.done <- cmp.Or(err, errs[i])
	}
	if err == nil {
		s.noteChange()
	}
	return err
}

// errBegin marks that no transaction could be begun, whatever the changes are.
var errBegin = errors.New("begin a transaction")

// transact returns each change's guard error, or the error that undid all.
func (t *tx) transact(batch []change) (guards []error, err error) {
	t.now = time.Now().UnixMilli()
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		t.rollback() // of what an earlier rollback may have left
		return make([]error, len(batch)), fmt.Errorf("%w: %w", errBegin, err)
	}
	guards = make([]error, len(batch))
	for i, c := range batch {
		if guards[i] = c.run(t); guards[i] != nil && !isGuard(guards[i]) {
			t.rollback()
			return guards, guards[i]
		}
	}
	if err = t.fault("commit"); err == nil {
		_, err = t.exec("COMMIT")
	}
	if err != nil {
		t.rollback()
	}
	return guards, err
}

// isGuard reports whether a change refused before it wrote anything.
func isGuard(err error) bool {
	return errors.Is(err, ErrStale) || errors.Is(err, ErrMoving) || errors.Is(err, ErrFailedMatches) || errors.Is(err, ErrDuplicateJob)
}

// rollback undoes the transaction. SQLite has done so by itself after some
// errors, and then says that there is none; that is as good.
func (t *tx) rollback() {
	_, _ = t.exec("ROLLBACK")
	t.known = newNumbers() // some rows may be undone
}

// prepared keeps each statement for the connection's life; there are few.
func (t *tx) prepared(query string) (*sql.Stmt, error) {
	if st, ok := t.stmts[query]; ok {
		return st, nil
	}
	st, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = st
	return st, nil
}

// exec returns how many rows were changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.run(query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// add inserts a row and returns its number.
func (t *tx) add(query string, args ...any) (int64, error) {
	res, err := t.run(query, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (t *tx) run(query string, args []any) (sql.Result, error) {
	st, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(context.Background(), args...)
}

// row scans the one row of a query; sql.ErrNoRows where there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	st, err := t.prepared(query)
	if err != nil {
		return err
	}
	return st.QueryRowContext(context.Background(), args...).Scan(dest...)
}

// find is row for a row that need not be there.
func (t *tx) find(query string, args []any, dest ...any) (bool, error) {
	err := t.row(query, args, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// ids returns the first column of every row.
func (t *tx) ids(query string, args ...any) ([]int64, error) {
	st, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (id int64, err error) {
		err = row.Scan(&id)
		return id, err
	})
}

func (t *tx) close() {
	for _, st := range t.stmts {
		st.Close()
	}
}

// troubleAgain is how long the writer waits before it tries whether the disk works
// again, where nobody else wants anything written.
const troubleAgain = 5 * time.Second

// touch writes something, and changes nothing.
func (t *tx) touch() error {
	_, err := t.exec(`UPDATE daemon SET pid = pid`)
	return err
}

// Late returns what has not moved on for longer than a limit, or "". The writer is
// late when one transaction takes that long; it is never late at rest.
func (s *Store) Late(limit time.Duration) string {
	begun := s.busySince.Load()
	if begun == 0 {
		return ""
	}
	if took := time.Since(time.UnixMilli(begun)); took > limit {
		return fmt.Sprintf("the database writer has been in one transaction for %v", took.Round(time.Second))
	}
	return ""
}

// walWarning is the size in bytes of the -wal file from which it is warned about,
// and again whenever it has doubled. It is a variable for the tests.
var walWarning int64 = 64 << 20

// watchWAL warns once of a -wal file that grows: as long as a program reads an old
// state of the database, none of it can be used again.
func (s *Store) watchWAL() {
	fi, err := os.Stat(s.path + "-wal")
	if err != nil {
		return
	}
	switch size := fi.Size(); {
	case size < walWarning:
		s.walSize = 0
	case size >= 2*s.walSize:
		s.walSize = size
		s.log.Warn("the -wal file of the database grows: a program keeps a read transaction open; end it",
			"path", s.path+"-wal", "bytes", size)
	}
}
