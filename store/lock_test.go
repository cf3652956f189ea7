package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Whatever locks the members of the group take on what they may read, a daemon
// starts, and readers see what it does.
func TestLocksOfMembers(t *testing.T) {
	path := filepath.Join(quickFolder(t), "docusort.db")
	check1(t, os.WriteFile(path+"-lock", nil, 0o644)) // as another program may have made it
	lockShown := func() {
		t.Helper()
		f := must[*os.File](t)(os.Open(runningPath(path)))
		t.Cleanup(func() { f.Close() })
		_ = setLock(f, ofdSetLock, syscall.F_RDLCK, 0, 0)
		_ = setLock(f, ofdSetLock, syscall.F_RDLCK, writingByte, 1)
	}
	shown := func(when string, runs, troubled bool) {
		t.Helper()
		lockShown()
		is, since, err := running(path)
		if is != runs || since.IsZero() == troubled || err != nil {
			t.Errorf("%s: running %v, trouble since %v, %v", when, is, since, err)
		}
	}
	for range 2 {
		s := openAt(t, path)
		same(t, "mode of the lock file", must[os.FileInfo](t)(os.Stat(path+"-lock")).Mode(), fs.FileMode(0o600))
		shown("while it runs", true, false)
		s.showTrouble(sqlite3.Error{Code: sqlite3.ErrFull})
		shown("in trouble", true, true)
		s.showTrouble(nil)
		shown("after it", true, false)
		check1(t, s.Close())
		shown("stopped", false, false)
	}
}

// Where no file can be made any more, the one that is there is used.
func TestRunningIsShownWithoutRoom(t *testing.T) {
	path := closed(t, 1)
	check1(t, os.Mkdir(runningPath(path)+"-new", 0o755))
	check1(t, os.WriteFile(runningPath(path)+"-new/x", nil, 0o600)) // so that it cannot be removed
	openAt(t, path)
	if runs, since, err := running(path); !runs || !since.IsZero() || err != nil {
		t.Errorf("running %v, trouble since %v, %v", runs, since, err)
	}
}

// A child that a killed daemon was starting has its lock until the exec. A new
// daemon waits for that, and for nothing else.
func TestLockOfAForkedChild(t *testing.T) {
	path := closed(t, 1)
	synctest.Test(t, func(t *testing.T) {
		child := must[*os.File](t)(os.OpenFile(path+"-lock", os.O_RDWR|os.O_CREATE, 0o600))
		check1(t, setLock(child, ofdSetLock, syscall.F_WRLCK, daemonByte, 1))
		opened := func(want error, after time.Duration) *Store {
			t.Helper()
			begun := time.Now()
			s, err := Open(ctx, Config{Path: path})
			if took := time.Since(begun).Round(100 * time.Millisecond); !errors.Is(err, want) || took != after {
				t.Errorf("%v after %v, want %v after %v", err, took, want, after)
			}
			return s
		}
		opened(ErrRunning, forkWait)
		time.AfterFunc(time.Second, func() { child.Close() })
		s := opened(nil, time.Second)
		opened(ErrRunning, 0)
		check1(t, s.Close())
	})
}

// Another program that keeps a lock is named, to the daemon, to readers and to
// whoever checks.
func TestLockOfAnotherProgram(t *testing.T) {
	s := openNew(t)
	check1(t, s.Started(ctx, os.Getpid()))
	check1(t, errOf(s.conn.ExecContext(ctx, "PRAGMA busy_timeout = 1")))
	r := reader(t, s)
	var holder *exec.Cmd
	hold := func(file string) {
		t.Helper()
		var says string
		if holder, says = startChild(t, "lock", file, nil); says != "" {
			t.Fatal(says)
		}
	}
	named := func(who, file, text string) {
		t.Helper()
		if want := fmt.Sprintf("(process %d) keeps a lock on %s; 'fuser -v %[2]s'", holder.Process.Pid, file); !strings.Contains(text, want) {
			t.Errorf("%s: no %q in %q", who, want, text)
		}
	}
	blocked := func() error { return r.Blocked(os.Getpid()) }
	check1(t, blocked())
	shm := s.path + "-shm"
	hold(shm)
	err := s.SetHold(ctx, nil)
	if !DiskTrouble(err) {
		t.Fatalf("it is written: %v", err)
	}
	named("the daemon", shm, err.Error())
	named("a check", shm, blocked().Error())
	check1(t, r.Blocked(holder.Process.Pid)) // were it the daemon
	_ = s.SetHold(ctx, nil)                  // by now readers see the first
	named("a report", shm, daemonOf(t, s).Hold.Reason)
	kill(holder)
	check1(t, s.SetHold(ctx, nil))
	check1(t, blocked())
	hold(s.path)
	named("a check", s.path, blocked().Error())
}

// New files are for their owner and the group, whatever the umask, and those who
// can read a database that was there see as well whether its daemon runs. What root
// makes is given to the owner of the database.
func TestModes(t *testing.T) {
	modes := func(path string, want map[string]fs.FileMode) {
		t.Helper()
		for file, mode := range want {
			same(t, "mode of "+file, must[os.FileInfo](t)(os.Stat(path+file)).Mode(), mode)
		}
	}
	for _, umask := range []int{0, 0o077} {
		before := syscall.Umask(umask)
		s := openNew(t)
		syscall.Umask(before)
		modes(s.path, map[string]fs.FileMode{"": 0o640, "-wal": 0o640, "-shm": 0o640, "-running": 0o640, "-lock": 0o600})
	}
	path := closed(t, 1)
	check1(t, os.Chmod(path, 0o664))
	if os.Geteuid() == 0 {
		check1(t, os.Chown(path, 7, 8))
	}
	owner := func(file string) [2]uint32 {
		st := must[os.FileInfo](t)(os.Stat(path + file)).Sys().(*syscall.Stat_t)
		return [2]uint32{st.Uid, st.Gid}
	}
	openAt(t, path)
	modes(path, map[string]fs.FileMode{"": 0o664, "-running": 0o644, "-lock": 0o600})
	same(t, "owner of -running", owner("-running"), owner(""))
	same(t, "owner of -lock", owner("-lock"), owner(""))
}
