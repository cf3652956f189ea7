package filing

import (
	"context"
	"errors"
	"os"
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

// A full disk: a copy that cannot fit is not begun, nothing of one stays, the document
// does, and when there is room again it goes on.
func TestMoveToAFullDisk(t *testing.T) {
	for _, options := range []string{"size=64k", "nr_inodes=2"} {
		w := newWorld(t, false)
		mountAt(t, w.mv.Sorted, options)
		begun := false
		m := moverAt("create", false, func() error { begun = true; return nil })
		for range 2 {
			if err := m.MoveOrCopy(context.Background(), w.mv); !DiskTrouble(err) || !errors.Is(err, unix.ENOSPC) {
				t.Fatalf("%s: error %v, want ENOSPC", options, err)
			}
			w.only(w.content, w.source())
		}
		same(t, options+": begun", begun, options == "nr_inodes=2")
		must(t, unix.Mount("none", w.mv.Sorted, "", unix.MS_REMOUNT, "size=2m,nr_inodes=100"))
		w.finish(m)
	}
}

// A copy keeps the owner where it may, and the permission bits, and lends nobody's
// rights.
func TestCopyKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: other owners are not tested")
	}
	for refused, owner := range map[bool]uint32{false: 65534, true: 0} {
		w := newWorld(t, true)
		must(t, os.Chown(w.source(), 65534, 65533))
		must(t, os.Chmod(w.source(), 0o755|os.ModeSetuid))
		m := NewMover(Options{})
		if refused {
			m = moverAt("chown", false, func() error { return unix.EPERM })
		}
		must(t, m.MoveOrCopy(t.Context(), w.mv))
		var st unix.Stat_t
		must(t, unix.Lstat(w.target(), &st))
		if st.Uid != owner || st.Gid != 65533 || st.Mode&0o7777 != 0o755 {
			t.Errorf("chown refused %v: owner %d, group %d, mode %o", refused, st.Uid, st.Gid, st.Mode)
		}
	}
}
