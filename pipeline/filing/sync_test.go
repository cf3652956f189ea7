package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// moveAll syncs the contents together and moves each document.
func (s *several) moveAll(m *Mover) []error {
	m.SyncContents(s.moves)
	errs := make([]error, len(s.moves))
	for i, mv := range s.moves {
		errs[i] = m.MoveOrCopy(context.Background(), mv)
	}
	return errs
}

// The contents of many are synced at once, those of a few one by one.
func TestSyncContents(t *testing.T) {
	for _, n := range []int{1, fewContents - 1, fewContents, 10} {
		s := newSeveral(t, n, "")
		must(t, errors.Join(s.moveAll(s.mover(nil))...))
		each, all := n, 0
		if n >= fewContents {
			each, all = 0, 1
		}
		same(t, "syncs of a document", s.count("fsync source"), each)
		same(t, "syncs of all", s.count("sync filesystem"), all)
		same(t, "looks for what was lost", s.count("look for lost writes"), n-each)
		for i, mv := range s.moves {
			s.only(s.contentOf(i), s.at(mv))
		}
	}
}

// A document written to after it was described may have been written to after the
// sync as well.
func TestSyncContentsOfWhatChanges(t *testing.T) {
	s := newSeveral(t, 6, "")
	m := s.mover(nil)
	m.SyncContents(s.moves)
	rewritten := filepath.Join(s.moves[2].Root, s.moves[2].Source)
	must(t, os.WriteFile(rewritten, s.contentOf(2), documentMode))
	must(t, os.Chtimes(rewritten, documentTime, documentTime))
	for i, mv := range s.moves {
		s.ops = nil
		must(t, m.Do(context.Background(), mv))
		same(t, fmt.Sprint("synced by itself: ", i), s.count("fsync source") == 1, i == 2)
	}
}

// An error of the sync of all is nobody's in particular: every document is synced by
// itself. Where writes were lost, only their document is held back; where the kernel
// cannot tell, that document is synced.
func TestSyncContentsFails(t *testing.T) {
	for _, c := range []struct {
		op    string
		errno unix.Errno
		lost  bool
		syncs int // of a document by itself
	}{
		{"sync filesystem", unix.EIO, true, 6},
		{"sync filesystem", unix.ENOSPC, true, 6},
		{"sync filesystem", unix.ENOSYS, true, 6},
		{"look for lost writes", unix.EIO, true, 0},
		{"look for lost writes", unix.ENOSPC, true, 0},
		{"look for lost writes", unix.ENOSYS, false, 1},
		{"look for lost writes", unix.EPERM, false, 1},
	} {
		s := newSeveral(t, 6, "")
		errs := s.moveAll(s.mover(func(op string) error {
			third := s.count(op) == 3
			if op == c.op && (third || op == "sync filesystem") || op == "fsync source" && third {
				return c.errno
			}
			return nil
		}))
		for i, err := range errs {
			if (c.lost && i == 2) != errors.Is(err, c.errno) {
				t.Errorf("%s, %v: document %d: %v", c.op, c.errno, i, err)
			}
		}
		same(t, fmt.Sprint("synced by itself, ", c.op, ", ", c.errno), s.count("fsync source"), c.syncs)
	}
}

// A filesystem mounted beneath the inbox is not synced with it.
func TestSyncContentsOfAMountedFolder(t *testing.T) {
	s := newSeveral(t, fewContents, "")
	there := filepath.Join(s.mv.Root, "mounted")
	must(t, os.Mkdir(there, 0o755))
	mountAt(t, there, "size=1m,mode=755")
	s.add("mounted/x", "type/x", []byte("x"))
	must(t, errors.Join(s.moveAll(s.mover(nil))...))
	same(t, "synced by itself", s.count("fsync source"), 1)
}

// After a slow sync of all, everything is synced one by one for a while.
func TestSlowSyncIsNotRepeatedSoon(t *testing.T) {
	s := newSeveral(t, fewContents, "")
	synctest.Test(t, func(t *testing.T) {
		m := s.mover(func(op string) error {
			if op == "sync filesystem" {
				time.Sleep(longSync)
			}
			return nil
		})
		syncs := func(what string, want int) {
			t.Helper()
			s.ops = nil
			m.SyncContents(s.moves)
			m.SyncContents(s.moves)
			same(t, what, s.count("sync filesystem"), want)
		}
		syncs("the first, not the one right after it", 1)
		time.Sleep(longSync*syncRest - 1)
		syncs("a little too soon", 0)
		time.Sleep(time.Nanosecond)
		syncs("later", 1)
	})
}

func TestSyncsWhole(t *testing.T) {
	for path, want := range map[string]bool{"/proc": false, "/dev/shm": true} {
		d, err := openRoot(path)
		must(t, err)
		same(t, path, syncsWhole(d.fd), want)
		d.close()
	}
}

func TestSyncFoldersOf(t *testing.T) {
	s := newSeveral(t, 0, "a/b")
	must(t, os.WriteFile(filepath.Join(s.mv.Root, "file"), nil, 0o644))
	files := []File{
		{s.mv.Root, "x"}, {s.mv.Root, "a/x"}, {s.mv.Root, "a/y"}, {s.mv.Root, "a/b/x"}, {s.mv.Sorted, "x"},
		{s.mv.Root, "gone/too/x"}, {s.mv.Root, "file/x"}, {s.mv.Root, "../x"}, {s.mv.Root + "/none", "x"},
	}
	for i, err := range s.mover(nil).SyncFoldersOf(files) {
		if want := map[int]error{7: fs.ErrInvalid, 8: ErrNoRoot}[i]; !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", files[i], err, want)
		}
	}
	same(t, "syncs of a folder", s.count("fsync folder"), 6)

	// An error of a folder is that of all files in it.
	s.ops = nil
	errs := s.mover(func(op string) error { return unix.EIO }).SyncFoldersOf(files[:5])
	for i, err := range errs {
		if !errors.Is(err, unix.EIO) {
			t.Errorf("%v: %v", files[i], err)
		}
	}
	same(t, "syncs of four folders", s.count("fsync folder"), 4)
}

// A folder that may be written to and not read.
func TestSyncFolderOfClosedFolder(t *testing.T) {
	root := publicDir(t)
	must(t, os.Mkdir(filepath.Join(root, "drop"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "drop/x"), nil, 0o644))
	must(t, os.Chmod(filepath.Join(root, "drop"), 0o733))
	asNobody(t, func() {
		errs := NewMover(Options{}).SyncFoldersOf([]File{{root, "drop/x"}})
		must(t, errs[0])
		errs = NewMover(Options{}).SyncFoldersOf([]File{{root, "drop/gone"}})
		if !errors.Is(errs[0], fs.ErrPermission) {
			t.Errorf("without the file: %v", errs[0])
		}
	})
}
