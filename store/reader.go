package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrNoDatabase says that there is no database yet.
var ErrNoDatabase = errors.New("there is no database yet")

// Reader reads the database as it is at one moment: whatever the daemon does
// meanwhile, all answers agree with each other. Close it soon, because the -wal
// file grows while it is open.
type Reader struct {
	questions
	files
	path string
	at   os.FileInfo // of the file that must stand still, or nil
}

// OpenReader opens the database for reading only, for anybody who can read the
// file and those beside it, whether a daemon runs or not. It fails with
// [ErrNoDatabase] where there is none and with [ErrUnusable] where the file is
// not one of ours, or lacks its -wal file after a kill.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrNoDatabase, path)
	case err != nil:
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := present(path, fi); err != nil {
		return nil, err
	}
	if err := lostChanges(path); errors.Is(err, ErrUnusable) { // SQLite would make a -wal file, and nobody could tell any more
		return nil, err
	}
	r := &Reader{path: path}
	if err = r.begin(ctx); err == nil {
		return r, nil
	}
	r.Close()
	var e sqlite3.Error
	readOnly := errors.As(err, &e) && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrCantOpen)
	wal := exists(path + "-wal")
	if !readOnly || wal && exists(path+"-shm") {
		return nil, err
	}
	if wal {
		return nil, fmt.Errorf("%w: %s is missing, and may not be made here; start the daemon, "+
			"or look as the user that it runs as: %w", ErrUnusable, path+"-shm", err)
	}
	// The files beside the database are gone, as after a restore or the use of
	// sqlite3, and may not be made here. Then the database itself has everything,
	// and can be read as long as nobody begins to write.
	r = &Reader{path: path, at: fi}
	if err := r.begin(ctx, "immutable", "1"); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// answer makes the error of an answer: the database could not be read, or the file
// was written meanwhile and the reader was opened without protection from that.
func (r *Reader) answer(err error) error {
	if err != nil {
		return fmt.Errorf("read database %s: %w", r.path, explain(r.path, err))
	}
	if r.at == nil {
		return nil
	}
	fi, err := os.Stat(r.path)
	if err == nil && (exists(r.path+"-wal") || !os.SameFile(fi, r.at) ||
		fi.Size() != r.at.Size() || !fi.ModTime().Equal(r.at.ModTime())) {
		err = fmt.Errorf("read database %s: a daemon started meanwhile; try again", r.path)
	}
	return err
}

func (r *Reader) begin(ctx context.Context, extra ...string) (err error) {
	if r.db, err = openReading(r.path, extra...); err != nil {
		return err
	}
	if r.conn, err = r.db.Conn(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", r.path, explain(r.path, err))
	}
	if _, err := r.conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return fmt.Errorf("read database %s: %w", r.path, err)
	}
	r.questions = questions{r.conn, r.answer}
	if err := ours(ctx, r.conn, r.path); err != nil {
		return fmt.Errorf("open database %s: %w", r.path, explain(r.path, err))
	}
	return nil
}

// Close ends the reading.
func (r *Reader) Close() error { return r.disconnect() }

// Daemon is what the database and the -running file say about the daemon.
type Daemon struct {
	Running   bool
	PID       int       // of the daemon that runs, or ran last; 0: none ever did
	StartedAt time.Time // zero: none ever did
	StoppedAt time.Time // zero: runs, or was killed
	Hold      *Hold     // nil: none, or no daemon runs
}

// Daemon returns whether a daemon runs and what it waits for.
func (r *Reader) Daemon(ctx context.Context) (Daemon, error) {
	runs, troubleSince, err := running(r.path)
	if err != nil {
		return Daemon{}, err
	}
	d := Daemon{Running: runs}
	var h Hold
	err = r.row(ctx, `SELECT pid, started_at, stopped_at, hold_kind, hold_reason, hold_since, hold_until FROM daemon`, nil,
		fields(&d.PID, &d.StartedAt, &d.StoppedAt, (*string)(&h.Kind), &h.Reason, &h.Since, &h.Until)...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // none while the first one starts
		return Daemon{}, err
	}
	if runs && h.Kind != "" {
		d.Hold = &h
	}
	// A stored hold says more, but need not have been stored.
	if !troubleSince.IsZero() && (d.Hold == nil || d.Hold.Kind != HoldAccount && d.Hold.Kind != HoldDisk) {
		d.Hold = troubleHold(r.path, d.PID, troubleSince, d.StartedAt)
	}
	return d, nil
}

// Check looks at every page of the database: [ErrUnusable] where it is damaged.
func (r *Reader) Check(ctx context.Context) error {
	if err := checkError(r.path, quickCheck(ctx, r.conn)); err != nil {
		return err
	}
	return r.answer(nil)
}

// Blocked returns why nobody can write to the database: another program than the
// daemon keeps a lock on it. Who only commits something is done at the next look.
func (r *Reader) Blocked(daemon int) error {
	var says string
	for range 10 {
		if says = lockedBy(r.path, daemon); says == "" {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("write database %s: %s", r.path, says)
}

// LargeWAL returns the size in bytes of a -wal file that is too large, or 0.
func (r *Reader) LargeWAL() int64 { return largeWAL(r.path) }

// Underway returns up to limit unfinished documents, those that are furthest
// first and among these the oldest.
func (r *Reader) Underway(ctx context.Context, limit int) (all []Document, err error) {
	for _, phases := range [][]Phase{{PhaseFile}, {PhasePoll}, {PhaseSubmit}, waitingPhases} {
		if err != nil || len(all) == limit {
			break
		}
		var more []Document
		more, err = r.documents(ctx, selectDocuments+` WHERE d.id IN (`+inPhases(phases...)+`) ORDER BY d.id`, 0, limit-len(all))
		all = append(all, more...)
	}
	return all, err
}

// Last returns up to limit documents that were finished last, the newest first.
func (r *Reader) Last(ctx context.Context, limit int) ([]Document, error) {
	return r.documents(ctx, selectDocuments+` WHERE d.finished_at IS NOT NULL ORDER BY d.finished_at DESC LIMIT ?`, limit)
}

// FinishedBetween calls f for every document that was finished after one time, and
// not after another, until f returns an error.
func (r *Reader) FinishedBetween(ctx context.Context, after, until time.Time, f func(*Document) error) error {
	return r.eachDocument(ctx, f, `d.finished_at > ? AND d.finished_at <= ?`, after.UnixMilli(), until.UnixMilli())
}

// eachDocument calls f for every document that a condition selects, until f
// returns an error.
func (r *Reader) eachDocument(ctx context.Context, f func(*Document) error, cond string, args ...any) error {
	var documents documentRow
	return r.each(ctx, func(row scanner) error {
		d, err := documents.scan(row)
		if err != nil {
			return err
		}
		return f(&d)
	}, selectDocuments+` WHERE `+cond, args...)
}

// Types returns the types that documents were identified as, in order.
func (r *Reader) Types(ctx context.Context) ([]string, error) {
	return list(ctx, &r.questions, only[string], `SELECT code FROM types ORDER BY code`)
}

// FirstFinished returns when the oldest finished document was finished; zero:
// there is none.
func (r *Reader) FirstFinished(ctx context.Context) (time.Time, error) {
	return r.time(ctx, `SELECT min(finished_at) FROM documents WHERE finished_at IS NOT NULL`)
}

// Progress shows whether the work goes on.
type Progress struct {
	Unfinished map[State]int // every unfinished state is there
	// Due counts the unfinished documents that can be worked on now: not those
	// that cannot be read or moved, or that wait for a pause or an equal document.
	Due int
	// Stuck counts those that have been in trouble of their own for long.
	Stuck int
	// Oldest is when the oldest unfinished document was discovered; zero: none.
	Oldest time.Time
	// Last is the newest change of a document's state; zero: there was none.
	Last time.Time
}

// Progress looks at unfinished documents, and at the one that was finished last.
func (r *Reader) Progress(ctx context.Context, now time.Time) (p Progress, err error) {
	p.Unfinished, err = r.countUnfinished(ctx,
		`, count(*) FILTER (WHERE phase <> 'admit' AND phase <> 'equal' AND phase <> 'unnamed' AND due <= ?), min(discovered_at),
			max(max(discovered_at, coalesce(submitted_at, 0), coalesce(identified_at, 0)))`,
		[]any{now.UnixMilli()}, fields(&p.Due, &p.Oldest, &p.Last)...)
	if err == nil {
		p.Stuck, err = r.Stuck(ctx)
	}
	if err != nil {
		return p, err
	}
	finished, err := r.time(ctx, `SELECT max(finished_at) FROM documents WHERE finished_at IS NOT NULL`)
	if p.Last.Before(finished) {
		p.Last = finished
	}
	return p, err
}
