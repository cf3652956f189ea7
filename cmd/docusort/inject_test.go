package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// injection is what a child process does to itself. The zero value is nothing.
type injection struct {
	Step   step  // ends itself at this step
	FileOp bool  // or at an operation on a file instead
	N      int64 // the N-th time that it comes to that, from 1
	Panic  bool  // by a panic instead of SIGKILL
	Freeze bool  // stops instead, for its parent to kill it
	Fault  fault // does not end itself, but has an operation fail

	HangAfter time.Duration // a folder hangs after this long; 0: as ever
}

func (i injection) String() string {
	switch {
	case i.Fault.Op != "":
		return i.Fault.String()
	case i.N == 0:
		return "nothing injected"
	case i.FileOp:
		return fmt.Sprintf("ends at file operation %d", i.N)
	}
	return fmt.Sprintf("ends at %q, time %d", i.Step, i.N)
}

func (i injection) hooks() testHooks {
	if i.Fault.Op != "" {
		return i.Fault.hooks()
	}
	var n atomic.Int64
	count := func() {
		if n.Add(1) != i.N {
			return
		}
		if i.Panic {
			panic("a panic that a test asked for")
		}
		end := syscall.SIGKILL
		if i.Freeze {
			end = syscall.SIGSTOP
		}
		syscall.Kill(os.Getpid(), end)
		select {}
	}
	if i.FileOp {
		return testHooks{file: func(string, bool) error { count(); return nil }}
	}
	return testHooks{step: func(s step) {
		if s == i.Step {
			count()
		}
	}}
}

// fault makes operations fail.
type fault struct {
	Op    string        // "file", or an operation of store.Config
	N     int64         // from the N-th operation on, from 1
	While string        // as long as this file exists; "": once
	Errno syscall.Errno // the error
}

func (f fault) String() string {
	times := "once"
	if f.While != "" {
		times = "for a while"
	}
	return fmt.Sprintf("%s at %s %d %s", unix.ErrnoName(f.Errno), f.Op, f.N, times)
}

// mayBeOneFile reports whether the error may be that of one file or folder.
func (f fault) mayBeOneFile() bool { return f.Op == "file" && f.Errno == syscall.EACCES }

// injected is what a process writes at each injected fault, before the name of the
// operation.
const injected = "injected a fault at "

func (f fault) hooks() testHooks {
	var n atomic.Int64
	fails := func(op string) bool {
		i := n.Add(1)
		if i < f.N || i > f.N && f.While == "" {
			return false
		}
		if f.While != "" {
			if _, err := os.Stat(f.While); err != nil {
				return false
			}
		}
		fmt.Fprintln(os.Stderr, injected+op)
		return true
	}
	if f.Op == "file" {
		return testHooks{file: func(op string, done bool) error {
			if !done && fails(op) {
				return f.Errno
			}
			return nil
		}}
	}
	return testHooks{store: func(op string) error {
		if op == f.Op && fails(op) {
			return sqlite3.Error{Code: sqliteErrors[f.Errno], SystemErrno: f.Errno}
		}
		return nil
	}}
}

// sqliteErrors are what SQLite makes of errors of the system.
var sqliteErrors = map[syscall.Errno]sqlite3.ErrNo{
	syscall.ENOSPC: sqlite3.ErrFull, syscall.EIO: sqlite3.ErrIoErr, syscall.EACCES: sqlite3.ErrCantOpen,
	syscall.EROFS: sqlite3.ErrReadonly, syscall.EMFILE: sqlite3.ErrCantOpen, syscall.ENOMEM: sqlite3.ErrNomem,
	syscall.EBUSY: sqlite3.ErrBusy,
}

// errnos are the errors that an operation may meet.
func errnos(op string) []syscall.Errno {
	all := []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.EROFS, syscall.EMFILE}
	if op != "file" {
		all = append(all, syscall.ENOMEM, syscall.EBUSY)
	}
	return all
}
