package filing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What a move cannot do a trial cannot, and neither leaves anything behind.
func TestTryMeetsTheTroubleOfAMove(t *testing.T) {
	sorted := t.TempDir()
	empty := func(when string) {
		t.Helper()
		if left, err := os.ReadDir(sorted); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", when, left, err)
		}
	}
	must(t, NewMover(Options{}).Try(sorted, "t"))
	empty("good")
	for _, op := range []string{"create", "write new file", "fsync new file", "rename", "mkdir"} {
		for _, want := range []unix.Errno{unix.ENOSPC, unix.EROFS, unix.EIO} {
			m := NewMover(Options{Fault: func(o string, done bool) error {
				if o == op && !done {
					return want
				}
				return nil
			}})
			if err := m.Try(sorted, "t"); !errors.Is(err, want) || !DiskTrouble(err) {
				t.Errorf("%s, %v: %v", op, want, err)
			}
			empty(op)
		}
	}
	if err := NewMover(Options{}).Try(filepath.Join(sorted, "away"), "t"); !errors.Is(err, ErrNoRoot) {
		t.Errorf("without the folder: %v", err)
	}
}

// A filesystem without renameat2 is no trouble.
func TestTryWithoutRenameat2(t *testing.T) {
	m := NewMover(Options{Fault: func(o string, done bool) error {
		if o == "rename" && !done {
			return unix.EINVAL
		}
		return nil
	}})
	must(t, m.Try(t.TempDir(), "t"))
}

// A trial that was killed is cleared away by the next, and by itself.
func TestTrialThatWasKilled(t *testing.T) {
	sorted := t.TempDir()
	for _, clear := range []func(string, string) error{NewMover(Options{}).ClearTrial, NewMover(Options{}).Try} {
		must(t, os.WriteFile(filepath.Join(sorted, temporaryPrefix+"t"+trialFile), []byte("x"), 0o600))
		must(t, os.WriteFile(filepath.Join(sorted, temporaryPrefix+"t"+trialMoved), []byte("x"), 0o600))
		must(t, os.Mkdir(filepath.Join(sorted, temporaryPrefix+"t"+trialFolder), 0o700))
		must(t, clear(sorted, "t"))
		if left, err := os.ReadDir(sorted); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	}
}

func TestTryWhereThereIsNoRoom(t *testing.T) {
	sorted := t.TempDir()
	if err := unix.Mount("none", sorted, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("may not mount (%v): a full filesystem is not tested", err)
	}
	defer func() { must(t, unix.Unmount(sorted, unix.MNT_DETACH)) }()
	if err := NewMover(Options{}).Try(sorted, "t"); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("with 512 kB: %v", err)
	}
}

func TestTryWithoutTheRight(t *testing.T) {
	sorted := publicDir(t)
	asNobody(t, func() {
		if err := NewMover(Options{}).Try(sorted, "t"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a folder of somebody else: %v", err)
		}
	})
}

// Two that put documents into one folder do not disturb each other.
func TestTrialsSideBySide(t *testing.T) {
	sorted := t.TempDir()
	other := NewMover(Options{})
	m := NewMover(Options{Fault: func(_ string, done bool) error {
		if done {
			return nil
		}
		return other.Try(sorted, "other")
	}})
	must(t, m.Try(sorted, "t"))
}
