package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
)

// countCommits counts what SQLite itself commits on the writing connection.
func countCommits(t *testing.T, s *Store) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	hook := func(driver any) error {
		driver.(*sqlite3.SQLiteConn).RegisterCommitHook(func() int { n.Add(1); return 0 })
		return nil
	}
	// On the writer's own goroutine, because the connection is its.
	check1(t, s.write(ctx, func(tx *tx) error { return tx.conn.Raw(hook) }))
	n.Store(0)
	return &n
}

// together runs functions as changes that gather while the writer is held up,
// and so share a batch; it returns their errors. It must be called in a bubble.
func together(t *testing.T, s *Store, fs ...func() error) []error {
	t.Helper()
	release := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.write(ctx, func(*tx) error { <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	errs := make([]error, len(fs))
	for i, f := range fs {
		wg.Go(func() { errs[i] = f() })
	}
	synctest.Wait() // all wait at the channel
	close(release)
	wg.Wait()
	return errs
}

// inBubble opens a store in a bubble, where together works.
func inBubble(t *testing.T, f func(t *testing.T, s *Store)) {
	synctest.Test(t, func(t *testing.T) { f(t, openNew(t)) })
}

// Many writers share a commit, up to a bound; the first has one of its own.
func TestManyWritersShareCommits(t *testing.T) {
	for n, want := range map[int]int64{200: 2, maxBatch + 1: 3} {
		inBubble(t, func(t *testing.T, s *Store) {
			commits := countCommits(t, s)
			fs := make([]func() error, n)
			for i := range fs {
				fs[i] = func() error { return errOf(s.Admit(ctx, found(fmt.Sprint(i), fmt.Sprint(i)))) }
			}
			check1(t, errors.Join(together(t, s, fs...)...))
			same(t, fmt.Sprint("commits of ", n), commits.Load(), want)
			same(t, "stored", must[map[State]int](t)(s.Counts(ctx))[Waiting], n)
		})
	}
}

func TestOneBadChangeFailsAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		ids := []int64{pending(t, s, found("a", "a")), pending(t, s, found("b", "b")), pending(t, s, found("c", "c"))}
		polled := invoice
		polled.Polls = 1
		errs := together(t, s,
			func() error { return s.Identified(ctx, ids[0], polled) },
			// A CHECK refuses it, which undoes the whole transaction.
			func() error { return s.Identified(ctx, ids[1], Answer{Type: "invoice", Confidence: 2, Outcome: Filed}) },
			// A guard refuses it, which does not.
			func() error { return s.Accepted(ctx, ids[2], "x") },
			func() error { return s.Identified(ctx, ids[2], invoice) },
		)
		var constraint sqlite3.Error
		if errs[0] != nil || errs[3] != nil || !errors.Is(errs[2], ErrStale) ||
			!errors.As(errs[1], &constraint) || constraint.Code != sqlite3.ErrConstraint || DiskTrouble(errs[1]) {
			t.Errorf("errors: %v", errs)
		}
		for i, want := range []State{Identified, Pending, Identified} {
			if d := doc(t, s, ids[i]); d.State != want {
				t.Errorf("document %d is %s, want %s", i, d.State, want)
			}
		}
		same(t, "polls, counted once whatever is run again", doc(t, s, ids[0]).Polls, 1)
	})
}

func TestAGuardDoesNotUndoItsBatch(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		commits := countCommits(t, s)
		a, b := submitted(t, s, found("a", "a")), submitted(t, s, found("b", "b"))
		check1(t, s.Accepted(ctx, a, "job"))
		commits.Store(0)
		errs := together(t, s,
			func() error { return s.Accepted(ctx, b, "job") },
			func() error { return s.Identified(ctx, a, invoice) },
			func() error { return s.Gone(ctx, 99, "no such document") },
			func() error { return s.Gone(ctx, b, "deleted") },
		)
		if commits.Load() > 2 || errs[1] != nil || !errors.Is(errs[2], ErrStale) {
			t.Errorf("%d commits, errors %v", commits.Load(), errs)
		}
	})
}

func TestCancelledWriteIsNotBegun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		ended, cancel := context.WithCancelCause(ctx)
		cause := errors.New("shutting down")
		cancel(cause)
		for range 20 {
			synctest.Wait() // the writer waits for a change, so that select could choose
			if _, err := s.Admit(ended, found("a", "a")); !errors.Is(err, cause) {
				t.Fatalf("error is %v", err)
			}
		}
		same(t, "stored", must[map[State]int](t)(s.Counts(ctx))[Waiting], 0)
	})
}

func TestWriteAfterClose(t *testing.T) {
	s := openNew(t)
	check1(t, s.Close())
	is(t, "after Close", s.Gone(ctx, 1, ""), errClosed)
	check1(t, s.Close())
}

// Another process, such as docusort retry or a person with sqlite3, writes. No
// change is at fault, so none waits out the busy timeout by itself.
func TestAnotherWriter(t *testing.T) {
	s := openNew(t)
	check1(t, s.do(ctx, "PRAGMA busy_timeout = 100"))
	other := must[*sql.DB](t)(sql.Open("sqlite3", dsn(s.path, "rw")))
	defer other.Close()
	held := must[*sql.Tx](t)(other.Begin())
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := s.Admit(ctx, found(fmt.Sprint(i), "")); !DiskTrouble(err) {
				t.Errorf("error is %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("they waited one after the other: %v", took)
	}
	check1(t, held.Rollback())
	admit(t, s, found("later", "later")) // it goes on
}

// The writer is late when a transaction lasts, and not at rest.
func TestLate(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		time.Sleep(time.Hour)
		same(t, "at rest", s.Late(time.Minute), "")
		stuck := make(chan struct{})
		go s.write(ctx, func(*tx) error { <-stuck; return nil })
		synctest.Wait()
		time.Sleep(time.Minute)
		same(t, "not yet", s.Late(time.Minute), "")
		time.Sleep(time.Second)
		if late := s.Late(time.Minute); late == "" {
			t.Error("it is not late")
		}
		close(stuck)
		synctest.Wait()
		same(t, "afterwards", s.Late(time.Minute), "")
	})
}

// Commits are reported, many as one.
func TestChanged(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Store) {
		told := func() bool {
			synctest.Wait()
			select {
			case <-s.Changed():
				return true
			default:
				return false
			}
		}
		told() // of the start
		for _, name := range []string{"a", "b"} {
			must[Admitted](t)(s.Admit(ctx, found(name, name)))
		}
		if !told() || told() {
			t.Error("two commits are not told of, once")
		}
	})
}

// What was numbered in a transaction that was undone is numbered again.
func TestNumbersOfWhatWasUndone(t *testing.T) {
	s, set := faulty(t)
	a := found("scan.pdf", "x")
	set("commit", errors.New("undone"))
	if _, err := s.Admit(ctx, a); err == nil {
		t.Fatal("admitted")
	}
	set("", nil)
	id := admit(t, s, a).ID
	var codes string
	check1(t, s.read.QueryRow(`SELECT codes FROM option_sets o JOIN documents d ON d.options = o.id WHERE d.id = ?`, id).Scan(&codes))
	if want := must[string](t)(encodeOptions(a.Options)); codes != want {
		t.Errorf("options %s, want %s", codes, want)
	}
}
