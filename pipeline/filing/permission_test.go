package filing

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMovable(t *testing.T) {
	root := publicDir(t)
	path := filepath.Join(root, "in/x")
	must(t, os.Mkdir(filepath.Join(root, "in"), 0o755))
	must(t, os.WriteFile(path, nil, 0o644))
	if os.Geteuid() != 0 {
		must(t, os.Chmod(filepath.Dir(path), 0o555))
		t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o755) })
	} else {
		must(t, movable(root, "in/x"))
	}
	refused := func(what string) {
		t.Helper()
		asNobody(t, func() {
			err := movable(root, "in/x")
			t.Logf("%s: %v", what, err)
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v, want fs.ErrPermission", what, err)
			}
		})
	}
	refused("no write permission")
	must(t, os.Chmod(filepath.Dir(path), 0o777))
	asNobody(t, func() { must(t, movable(root, "in/x")) })
	if err := movable(root, "in/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: other owners and attributes are not tested")
	}
	must(t, os.Chmod(path, 0o600))
	refused("not readable")
	must(t, os.Chmod(path, 0o644))
	must(t, os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky))
	refused("sticky")
	must(t, movable(root, "in/x"))
	must(t, os.Chown(path, 65534, 65534))
	asNobody(t, func() { must(t, movable(root, "in/x")) })
	must(t, os.Chmod(filepath.Dir(path), 0o777))
	for _, p := range []string{path, filepath.Dir(path)} {
		if !immutable(t, p, true) {
			t.Log("no immutable attribute here: not tested")
			continue
		}
		refused("immutable " + p)
		immutable(t, p, false)
	}
}

func immutable(t *testing.T, path string, on bool) bool {
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	const flag = 0x10 // FS_IMMUTABLE_FL
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return false
	}
	if flags |= flag; !on {
		flags &^= flag
	} else {
		t.Cleanup(func() { immutable(t, path, false) })
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags)) == nil
}

// An ordinary user moves: what is refused is said so, nothing is half done,
// and what protected_hardlinks or a foreign owner forbid is got around.
func TestMoveAsNobody(t *testing.T) {
	root := publicDir(t)
	w := &world{t: t, content: []byte("content")}
	must(t, os.MkdirAll(filepath.Join(root, "inbox/a"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "sorted"), 0o777))
	must(t, os.Chmod(filepath.Join(root, "sorted"), 0o777))
	w.mv = w.document(filepath.Join(root, "inbox"), "a/x", w.content)
	must(t, os.Chmod(w.source(), 0o644))
	w.mv.Sorted, w.mv.Target, w.mv.Tag = filepath.Join(root, "sorted"), "t/x", "1"
	if os.Geteuid() != 0 {
		must(t, os.Chmod(filepath.Dir(w.source()), 0o555))
		t.Cleanup(func() { _ = os.Chmod(filepath.Dir(w.source()), 0o755) })
	}
	all := append(terrains(), terrain{name: "elsewhere", lacks: map[string]error{"rename": unix.EXDEV}})
	for _, tr := range all {
		m := tr.mover(t, func(op string, done bool) error {
			if op == "write" {
				t.Errorf("%s: copied for nothing", tr.name)
			}
			return nil
		})
		asNobody(t, func() {
			err := m.MoveOrCopy(context.Background(), w.mv)
			if !errors.Is(err, fs.ErrPermission) || DiskTrouble(err) {
				t.Errorf("%s: error %v, want fs.ErrPermission", tr.name, err)
			}
		})
		w.only(w.content, w.source())
	}
	must(t, os.Chmod(filepath.Dir(w.source()), 0o777))
	for _, tr := range all {
		m := tr.mover(t, nil)
		asNobody(t, func() {
			must(t, m.MoveOrCopy(context.Background(), w.mv))
		})
		w.only(w.content, w.target())
		must(t, os.Rename(w.target(), w.source())) // and again
		id, err := Stat(w.mv.Root, w.mv.Source)
		must(t, err)
		w.mv.Identity = id
	}
}

// movable reports whether and why not a file can be moved.
func movable(root, rel string) error {
	e, err := Examine(root, rel)
	if err != nil {
		return err
	}
	return errors.Join(e.Fixed, e.Close())
}

func TestWritable(t *testing.T) {
	sorted := publicDir(t)
	must(t, Writable(sorted))
	err := Writable(filepath.Join(sorted, "none"))
	if !errors.Is(err, ErrNoRoot) || !DiskTrouble(err) {
		t.Errorf("without the folder: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: other trouble is not tested")
	}
	asNobody(t, func() {
		if err := Writable(sorted); !errors.Is(err, fs.ErrPermission) || DiskTrouble(err) {
			t.Errorf("a folder of somebody else: %v", err)
		}
	})
	for options, want := range map[string]error{"size=1m": nil, "size=1020k": unix.ENOSPC} {
		if err := unix.Mount("none", sorted, "tmpfs", 0, options); err != nil {
			t.Skipf("may not mount (%v): full and read-only disks are not tested", err)
		}
		if err := Writable(sorted); !errors.Is(err, want) || DiskTrouble(err) != (want != nil) {
			t.Errorf("%s: %v, want %v", options, err, want)
		}
		must(t, os.WriteFile(filepath.Join(sorted, "x"), nil, 0o644))
		must(t, movable(sorted, "x"))
		must(t, unix.Mount("none", sorted, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		for _, err := range []error{Writable(sorted), movable(sorted, "x")} {
			if !errors.Is(err, unix.EROFS) || !DiskTrouble(err) {
				t.Errorf("read-only: %v", err)
			}
		}
		must(t, unix.Unmount(sorted, unix.MNT_DETACH))
	}
}

// asNobody runs f with the rights of an ordinary user: on a thread that ends
// with it, since the rights of a thread cannot be given back safely.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends too
		const nobody, same = 65534, ^uintptr(0)
		for _, errno := range []unix.Errno{
			call(unix.SYS_SETGROUPS, 0, 0, 0),
			call(unix.SYS_SETRESGID, same, nobody, same),
			call(unix.SYS_SETRESUID, same, nobody, same),
		} {
			if errno != 0 {
				t.Errorf("become nobody: %v", errno)
				return
			}
		}
		f()
	}()
	<-done
}

func call(number, a, b, c uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall(number, a, b, c)
	return errno
}

// publicDir is a temporary folder that other users reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "filing")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

// TestFiledIsNotForOthersToWrite: what others than its owner may write to is theirs no
// more once it is filed: by a chmod, or else as a copy of our own.
func TestFiledIsNotForOthersToWrite(t *testing.T) {
	check := func(w *world, owner int) {
		t.Helper()
		info, err := os.Stat(w.target())
		must(t, err)
		same(t, "mode", info.Mode().Perm(), 0o644)
		same(t, "owner", int(info.Sys().(*syscall.Stat_t).Uid), owner)
		w.only(w.content, w.target())
	}
	for _, across := range []bool{false, true} {
		w := newWorld(t, across)
		must(t, os.Chmod(w.source(), 0o666))
		must(t, NewMover(Options{}).MoveOrCopy(t.Context(), w.mv))
		check(w, os.Geteuid())
	}
	if os.Geteuid() != 0 {
		t.Skip("only the superuser has files of several owners")
	}
	w := newWorldIn(t, publicDir(t), false)
	for _, dir := range []string{w.mv.Root, filepath.Dir(w.source()), w.mv.Sorted} {
		must(t, os.Chmod(dir, 0o777))
	}
	must(t, os.Chown(w.source(), 12345, 12345))
	must(t, os.Chmod(w.source(), 0o666))
	asNobody(t, func() {
		m := NewMover(Options{})
		if err := m.Do(t.Context(), w.mv); !errors.Is(err, ErrNeedsCopy) {
			t.Errorf("Do: %v, want ErrNeedsCopy", err)
		}
		must(t, m.Copy(t.Context(), w.mv))
	})
	check(w, 65534)
}
