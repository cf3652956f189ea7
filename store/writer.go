package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

// maxBatch bounds how many changes share one commit, so that the first of them
// does not wait for an endless queue.
const maxBatch = 512

// change is one caller's transition, to be run in a transaction that it may
// share with others. It may run more than once, so it sets what it hands to its
// caller afresh each time.
type change struct {
	run  func(*tx) error
	done chan error // buffered, so that the writer never waits for a caller
}

// write hands a change to the writer and returns once it is durable. A context
// that ends stops the change only while it waits for its turn: from then on it
// is carried out, because its outcome must be known.
func (s *Store) write(ctx context.Context, run func(*tx) error) error {
	if ctx.Err() != nil { // select would choose by chance
		return context.Cause(ctx)
	}
	if err := context.Cause(s.damaged); err != nil {
		return err
	}
	c := change{run: run, done: make(chan error, 1)}
	select {
	case s.changes <- c:
		return <-c.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closing.Done():
		return errClosed
	}
}

// runWriter owns the writing connection. While one commit is synced to the disk
// the next changes gather at the channel and share the following one.
func (s *Store) runWriter() {
	t := &tx{conn: s.conn, fault: s.fault, known: make(map[any]int64)}
	var retry <-chan time.Time // while the disk fails: when to see whether it works again
	for {
		var batch []change
		select {
		case c := <-s.changes:
			batch = append(batch, c)
		case <-retry:
			batch = append(batch, change{run: try, done: make(chan error, 1)})
		case <-s.closing.Done():
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
	errs, err := t.transact(batch, s.inPlace)
	s.busySince.Store(0)
	if err != nil && len(batch) > 1 && !errors.Is(err, errBegin) {
		for _, c := range batch {
			last = s.commit(t, []change{c})
		}
		return last
	}
	if err != nil {
		err = s.noteDamage(fmt.Errorf("write database %s: %w", s.path, explain(s.path, err)))
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
func (t *tx) transact(batch []change, ready func() error) (guards []error, err error) {
	t.now = time.Now().UnixMilli()
	if err = ready(); err == nil {
		err = t.do("BEGIN IMMEDIATE")
	}
	if err != nil {
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
		err = t.do("COMMIT")
	}
	if err != nil {
		t.rollback()
	}
	return guards, err
}

// isGuard reports whether a change refused before it wrote anything.
func isGuard(err error) bool {
	return errors.Is(err, ErrStale) || errors.Is(err, ErrMoving) || errors.Is(err, ErrTaken) || errors.Is(err, ErrDuplicateJob)
}

// rollback undoes the transaction. SQLite has done so by itself after some
// errors, and then says that there is none; that is as good.
func (t *tx) rollback() {
	_ = t.do("ROLLBACK")
	clear(t.known) // some rows may be undone
}

// exec runs one statement as a change of its own, and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, func(t *tx) (err error) {
		n, err = t.exec(query, args...)
		return err
	})
	return n, err
}

// do is exec for a statement whose number of rows does not matter.
func (s *Store) do(ctx context.Context, query string, args ...any) error {
	_, err := s.exec(ctx, query, args...)
	return err
}

// change is exec for one document, whose id is the first argument; see [tx.change].
func (s *Store) change(ctx context.Context, query string, args ...any) error {
	return s.write(ctx, func(t *tx) error { return t.change(query, args...) })
}

// transition makes a change and returns the document as it is then.
func (s *Store) transition(ctx context.Context, id int64, run func(*tx) error) (doc Document, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := run(t); err != nil {
			return err
		}
		return t.document(id, &doc)
	})
	return doc, err
}

// troubleAgain is how long the writer waits before it tries whether the disk works
// again, where nobody else wants anything written.
const troubleAgain = 5 * time.Second

// try writes something, and changes nothing.
func try(t *tx) error { return t.do(`UPDATE daemon SET pid = pid`) }

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

// largeWAL returns the size of a -wal file from walWarning on, or 0.
func largeWAL(database string) int64 {
	fi, err := os.Stat(database + "-wal")
	if err != nil || fi.Size() < walWarning {
		return 0
	}
	return fi.Size()
}

// watchWAL warns once of a -wal file that grows: as long as a program reads an old
// state of the database, none of it can be used again.
func (s *Store) watchWAL() {
	switch size := largeWAL(s.path); {
	case size == 0:
		s.walSize = 0
	case size >= 2*s.walSize:
		s.walSize = size
		s.log.Warn("the -wal file of the database grows: a program keeps a read transaction open; end it",
			"path", s.path+"-wal", "bytes", size)
	}
}
