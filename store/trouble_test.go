package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
)

// faulty opens a store whose operations fail with what is set.
func faulty(t *testing.T) (s *Store, set func(op string, err error)) {
	t.Helper()
	type fault struct {
		op  string
		err error
	}
	var now atomic.Pointer[fault]
	s = must[*Store](t)(Open(ctx, Config{
		Path: filepath.Join(quickFolder(t), "docusort.db"),
		Fault: func(op string) error {
			if f := now.Load(); f != nil && f.op == op {
				return f.err
			}
			return nil
		},
	}))
	t.Cleanup(func() { check1(t, s.Close()) })
	return s, func(op string, err error) { now.Store(&fault{op, err}) }
}

// A commit that fails leaves nothing of its transaction, in whichever way it
// fails, and may be tried again as it is.
func TestCommitFails(t *testing.T) {
	for _, code := range []sqlite3.ErrNo{
		sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrBusy, sqlite3.ErrNomem,
	} {
		t.Run(code.Error(), func(t *testing.T) {
			s, set := faulty(t)
			id := submitted(t, s, found("a", "a"))
			set("commit", sqlite3.Error{Code: code})
			if err := s.Accepted(ctx, id, "job"); !DiskTrouble(err) || !strings.Contains(err.Error(), s.path) {
				t.Errorf("error is %v", err)
			}
			if d := doc(t, s, id); d.State != Submitting || d.JobID != "" {
				t.Errorf("it is %s with job %q", d.State, d.JobID)
			}
			set("", nil)
			check1(t, s.Accepted(ctx, id, "job"))
			if d := doc(t, s, id); d.State != Pending || d.JobID != "job" {
				t.Errorf("afterwards: %+v", d)
			}
		})
	}
}

// While the database is not where it was, nothing is written to it.
func TestDatabaseRemoved(t *testing.T) {
	s := openNew(t)
	id := submitted(t, s, found("a", "a"))
	away := s.path + "-away"
	refused := func(what string) {
		t.Helper()
		if err := s.Accepted(ctx, id, "job"); !DiskTrouble(err) || !strings.Contains(err.Error(), "removed or replaced") {
			t.Errorf("%s: %v", what, err)
		}
	}
	check1(t, os.Rename(s.path, away))
	refused("removed")
	check1(t, os.WriteFile(s.path, nil, 0o600))
	refused("replaced")
	check1(t, os.Rename(away, s.path))
	check1(t, s.Accepted(ctx, id, "job"))
}

// That nothing can be written is told to readers all the same, and taken back
// when something was; also where nobody wants anything written.
func TestReadersSeeThatNothingCanBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, set := faulty(t)
		check1(t, s.Started(ctx, os.Getpid()))
		begun := time.Now()
		for _, code := range []sqlite3.ErrNo{sqlite3.ErrFull, sqlite3.ErrIoErr} {
			set("commit", sqlite3.Error{Code: code})
			if err := s.SetHold(ctx, &Hold{Kind: HoldDisk, Reason: "full"}); !DiskTrouble(err) {
				t.Fatal(err)
			}
			synctest.Wait()
			h := daemonOf(t, s).Hold
			if h == nil || h.Kind != HoldDisk || !h.Since.Equal(begun) || !strings.Contains(h.Reason, "its disk is full") {
				t.Fatalf("after %v it shows %+v", code, h)
			}
			time.Sleep(time.Hour)
			if h := daemonOf(t, s).Hold; h == nil || !h.Since.Equal(begun) {
				t.Errorf("later it shows %+v", h)
			}
		}
		long := time.Now().Add(-24 * time.Hour) // on a disk that is read-only the time cannot be set
		check1(t, os.Chtimes(runningPath(s.path), long, long))
		if h := daemonOf(t, s).Hold; h == nil || !h.Since.Equal(time.Now()) {
			t.Errorf("where the time could not be set it shows %+v", h)
		}
		set("", nil)
		time.Sleep(troubleAgain + time.Second)
		synctest.Wait()
		if h := daemonOf(t, s).Hold; h != nil {
			t.Errorf("with room again it shows %+v", h)
		}
	})
}

// What is recorded says more than that nothing can be written.
func TestTroubleBesideAHold(t *testing.T) {
	s, set := faulty(t)
	check1(t, s.Started(ctx, 1))
	for kind, want := range map[HoldKind]string{
		HoldAccount: "recorded", HoldDisk: "recorded", HoldService: "full", HoldRate: "full",
	} {
		set("", nil)
		check1(t, s.SetHold(ctx, &Hold{Kind: kind, Reason: "recorded"}))
		set("commit", sqlite3.Error{Code: sqlite3.ErrFull})
		_ = s.Stopped(ctx)
		_ = s.write(ctx, func(*tx) error { return ErrStale }) // told of the one before
		if h := daemonOf(t, s).Hold; h == nil || !strings.Contains(h.Reason, want) {
			t.Errorf("beside one of kind %s it shows %+v", kind, h)
		}
	}
}

// Damage that is found while the daemon works ends all writing, and is told to
// who asked; trouble of the disk is not taken for it.
func TestDamageIsRemembered(t *testing.T) {
	for _, op := range []string{"commit", "read"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, set := faulty(t)
				id := submitted(t, s, found("a", "a"))
				try := func(want func(error) bool) {
					t.Helper()
					var err error
					if op == "read" {
						_, err = s.Document(ctx, id)
					} else {
						err = s.Accepted(ctx, id, "job")
					}
					if !want(err) {
						t.Errorf("error is %v", err)
					}
				}
				unusable := func(err error) bool { return errors.Is(err, ErrUnusable) }
				told := make(chan error, 1)
				go func() { told <- s.Damaged(ctx) }()
				set(op, sqlite3.Error{Code: sqlite3.ErrIoErr})
				try(DiskTrouble)
				synctest.Wait()
				if len(told) > 0 {
					t.Fatalf("a broken disk is taken for damage: %v", <-told)
				}
				set(op, sqlite3.Error{Code: sqlite3.ErrCorrupt})
				try(unusable)
				if err := <-told; !unusable(err) {
					t.Errorf("told %v", err)
				}
				set("", nil)
				if err := s.Accepted(ctx, id, "job"); !unusable(err) {
					t.Errorf("it writes on: %v", err)
				}
			})
		})
	}
}

// Who may not write is told so before anything is done, and not at the first
// commit: SQLite opens for reading what it cannot open for writing.
func TestNotWritable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	for _, file := range []string{"", "-wal", "-shm", "-lock", " folder"} {
		t.Run("docusort.db"+file, func(t *testing.T) {
			dir := publicFolder(t)
			path := filepath.Join(dir, "docusort.db")
			check1(t, os.Chmod(dir, 0o777))
			if _, says := startChild(t, "open", path, nobody); says != "opened" {
				t.Fatal(says)
			}
			where := path + file
			if file == " folder" {
				where = path + "-lock"
				check1(t, os.Remove(where))
				check1(t, os.Chmod(dir, 0o755))
			} else {
				check1(t, os.Chown(where, 0, 0))
				check1(t, os.Chmod(where, 0o644))
			}
			before := contentsOf(t, dir)
			_, says := startChild(t, "open", path, nobody)
			for _, part := range []string{ErrUnusable.Error(), where + ":", "permission denied", "let user 65534"} {
				if !strings.Contains(says, part) {
					t.Errorf("it says %q, without %q", says, part)
				}
			}
			if after := contentsOf(t, dir); !sameListing(before, after) {
				t.Error("something was changed")
			}
		})
	}
}

// A patient one waits for the disk at the start, and says so; others end with
// its error. A stop ends the wait.
func TestOpenWaitsForTheDisk(t *testing.T) {
	path := closed(t, 1)
	synctest.Test(t, func(t *testing.T) {
		var failing atomic.Bool
		failing.Store(true)
		cfg := Config{Path: path, Fault: func(op string) error {
			if failing.Load() && op == "open" {
				return sqlite3.Error{Code: sqlite3.ErrFull}
			}
			return nil
		}}
		if _, err := Open(ctx, cfg); !DiskTrouble(err) {
			t.Errorf("not patient: %v", err)
		}
		cfg.Patient = true
		stopped, stop := context.WithTimeout(ctx, time.Hour)
		defer stop()
		if _, err := Open(stopped, cfg); !DiskTrouble(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stopped: %v", err)
		}
		opened := make(chan *Store)
		go func() { opened <- must[*Store](t)(Open(ctx, cfg)) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		r := must[*Reader](t)(OpenReader(ctx, path))
		d := must[Daemon](t)(r.Daemon(ctx))
		check1(t, r.Close())
		if !d.Running || d.Hold == nil || d.Hold.Kind != HoldDisk {
			t.Errorf("it shows %+v", d)
		}
		failing.Store(false)
		s := <-opened
		check1(t, s.Started(ctx, 1))
		if h := daemonOf(t, s).Hold; h != nil {
			t.Errorf("with room again it shows %+v", h)
		}
		check1(t, s.Close())
	})
}

// A filesystem that cannot map shared memory is not waited for.
func TestNoSharedMemory(t *testing.T) {
	waiting, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := Open(waiting, Config{Path: filepath.Join(quickFolder(t), "docusort.db"), Patient: true, Fault: func(string) error {
		return sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrSHMMap, SystemErrno: syscall.ENODEV}
	}})
	if !errors.Is(err, ErrUnusable) || DiskTrouble(err) || !strings.Contains(err.Error(), "set DOCUSORT_DATABASE to a local disk") {
		t.Errorf("error is %v", err)
	}
}
