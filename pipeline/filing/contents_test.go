package filing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The contents of many are synced at once, those of a few one by one.
func TestSyncContents(t *testing.T) {
	for _, n := range []int{1, fewContents - 1, fewContents, 10} {
		s := newSeveral(t, n, "")
		b := s.mover(nil).Batch()
		same(t, "done", b.SyncContents(s.moves), n >= fewContents)
		for _, mv := range s.moves {
			_, err := b.Do(context.Background(), mv)
			must(t, err)
		}
		b.Close()
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

func TestSyncContentsOfLargeDocuments(t *testing.T) {
	s := newSeveral(t, 10, "")
	for i := range s.moves {
		s.moves[i].Identity.Size = largeContents / 9
	}
	b := s.mover(nil).Batch()
	defer b.Close()
	same(t, "done", b.SyncContents(s.moves), false)
}

// What was written to after it was described may have been written after the
// sync as well.
func TestSyncContentsOfWhatChanges(t *testing.T) {
	s := newSeveral(t, 6, "")
	b := s.mover(nil).Batch()
	defer b.Close()
	same(t, "done", b.SyncContents(s.moves), true)
	rewritten := filepath.Join(s.moves[2].Root, s.moves[2].Source)
	must(t, os.WriteFile(rewritten, s.contentOf(2), documentMode))
	must(t, os.Chtimes(rewritten, documentTime, documentTime))
	for i, mv := range s.moves {
		s.ops = nil
		_, err := b.Do(context.Background(), mv)
		must(t, err)
		want := 0
		if i == 2 {
			want = 1
		}
		same(t, fmt.Sprint("syncs of ", i), s.count("fsync source"), want)
	}
}

// An error of the sync of all is nobody's in particular.
func TestSyncContentsFails(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.ENOSPC, unix.EROFS, unix.ENOSYS, unix.EPERM} {
		s := newSeveral(t, 6, "")
		b := s.mover(func(op string) error {
			if op == "sync filesystem" || op == "fsync source" && s.count(op) == 3 {
				return errno
			}
			return nil
		}).Batch()
		same(t, "done", b.SyncContents(s.moves), false)
		for i, mv := range s.moves {
			_, err := b.Do(context.Background(), mv)
			if (i == 2) != errors.Is(err, errno) {
				t.Errorf("%v: document %d: %v", errno, i, err)
			}
		}
		b.Close()
		same(t, "syncs of a document", s.count("fsync source"), 6)
	}
}

// A document whose writes were lost is kept back alone; where the kernel does
// not tell of that, the document is synced.
func TestLostWrites(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.ENOSPC, unix.ENOSYS, unix.EPERM} {
		s := newSeveral(t, 6, "")
		b := s.mover(func(op string) error {
			if op == "look for lost writes" && s.count(op) == 3 {
				return errno
			}
			return nil
		}).Batch()
		b.SyncContents(s.moves)
		told := !lacking(errno)
		for i, mv := range s.moves {
			_, err := b.Do(context.Background(), mv)
			if (told && i == 2) != errors.Is(err, errno) {
				t.Errorf("%v: document %d: %v", errno, i, err)
			}
		}
		b.Close()
		same(t, fmt.Sprint("synced by itself, ", errno), s.count("fsync source") == 1, !told)
	}
}

// What lies on another filesystem beneath the inbox was not synced with it.
func TestSyncContentsOfAMountedFolder(t *testing.T) {
	s := newSeveral(t, fewContents, "")
	there := filepath.Join(s.mv.Root, "mounted")
	must(t, os.Mkdir(there, 0o755))
	if unix.Mount("none", there, "tmpfs", 0, "size=1m,mode=755") != nil {
		t.Skip("not allowed to mount")
	}
	t.Cleanup(func() { must(t, unix.Unmount(there, unix.MNT_DETACH)) })
	mv := s.document(s.mv.Root, "mounted/x", []byte("x"))
	mv.Sorted, mv.Target, mv.Tag = s.mv.Sorted, "type/x", "x"
	b := s.mover(nil).Batch()
	defer b.Close()
	same(t, "done", b.SyncContents(append(s.moves, mv)), true)
	_, err := b.Do(context.Background(), mv)
	must(t, err)
	same(t, "synced by itself", s.count("fsync source"), 1)
}
