package filing

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Two mounts of one filesystem have equal device numbers, and still a move
// between them is a copy: try, never predict.
func TestMoveBetweenBindMounts(t *testing.T) {
	w := newWorld(t, false)
	if err := unix.Mount(w.mv.Sorted, w.mv.Sorted, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("may not mount (%v): bind mounts are not tested", err)
	}
	defer func() { must(t, unix.Unmount(w.mv.Sorted, unix.MNT_DETACH)) }()
	m := NewMover(Options{})
	if err := m.Do(context.Background(), w.mv); !errors.Is(err, ErrNeedsCopy) {
		t.Errorf("Do: %v, want ErrNeedsCopy", err)
	}
	must(t, m.Copy(context.Background(), w.mv))
	w.filed()
}

// A full disk: nothing of the copy stays, the document does, and when there is
// room again it goes on.
func TestMoveToAFullDisk(t *testing.T) {
	for _, options := range []string{"size=64k", "nr_inodes=2"} {
		w := newWorld(t, false)
		if err := unix.Mount("none", w.mv.Sorted, "tmpfs", 0, options); err != nil {
			t.Skipf("may not mount (%v): a full disk is not tested", err)
		}
		t.Cleanup(func() { must(t, unix.Unmount(w.mv.Sorted, unix.MNT_DETACH)) })
		m := NewMover(Options{})
		for range 2 {
			if err := m.MoveOrCopy(context.Background(), w.mv); !DiskTrouble(err) || !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("%s: error %v, want ENOSPC", options, err)
			}
			w.only(w.content, w.source())
		}
		must(t, unix.Mount("none", w.mv.Sorted, "", unix.MS_REMOUNT, "size=2m,nr_inodes=100"))
		w.finish(m)
	}
}

// A full filesystem beneath sorted is no trouble of other documents.
func TestMoveToAFullDiskOfOneType(t *testing.T) {
	w := newWorld(t, false)
	type1 := filepath.Dir(w.target())
	must(t, os.Mkdir(type1, 0o755))
	if err := unix.Mount("none", type1, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("may not mount (%v): a full disk is not tested", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(type1, unix.MNT_DETACH)) })
	if err := NewMover(Options{}).MoveOrCopy(t.Context(), w.mv); !errors.Is(err, unix.ENOSPC) || DiskTrouble(err) {
		t.Errorf("error %v, disk trouble %v", err, DiskTrouble(err))
	}
	w.only(w.content, w.source())
}

func TestMovableOnAReadOnlyFilesystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("may not mount (%v): a read-only filesystem is not tested", err)
	}
	defer func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) }()
	must(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o644))
	must(t, movable(dir, "x"))
	must(t, unix.Mount("none", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if err := movable(dir, "x"); !errors.Is(err, unix.EROFS) || !DiskTrouble(err) {
		t.Errorf("error %v, want EROFS", err)
	}
}

// A copy keeps the owner and the permission bits, and lends nobody's rights.
func TestCopyKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: other owners are not tested")
	}
	w := newWorld(t, true)
	must(t, os.Chown(w.source(), 65534, 65533))
	must(t, os.Chmod(w.source(), 0o755|os.ModeSetuid))
	err := NewMover(Options{}).MoveOrCopy(context.Background(), w.mv)
	must(t, err)
	var st unix.Stat_t
	must(t, unix.Lstat(w.target(), &st))
	if st.Uid != 65534 || st.Gid != 65533 || st.Mode&0o7777 != 0o755 {
		t.Errorf("owner %d, group %d, mode %o", st.Uid, st.Gid, st.Mode)
	}
	w = newWorld(t, true)
	must(t, os.Chown(w.source(), 65534, 65533))
	must(t, os.Chmod(w.source(), 0o755|os.ModeSetuid))
	err = NewMover(Options{Fault: func(op string, done bool) error {
		if op == "chown" {
			return unix.EPERM
		}
		return nil
	}}).MoveOrCopy(context.Background(), w.mv)
	must(t, err)
	must(t, unix.Lstat(w.target(), &st))
	if st.Uid != 0 || st.Gid != 65533 || st.Mode&0o7777 != 0o755 {
		t.Errorf("where chown is refused: owner %d, group %d, mode %o", st.Uid, st.Gid, st.Mode)
	}
}
