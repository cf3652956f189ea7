package filing

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpen(t *testing.T) {
	root := filepath.Join(t.TempDir(), "inbox")
	outside := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "a/b/x\n\xff"), []byte("content"), 0o644))
	must(t, os.Mkdir(filepath.Join(outside, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(outside, "sub/secret"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	must(t, os.Symlink("x\n\xff", filepath.Join(root, "a/b/link")))
	must(t, os.Symlink("b", filepath.Join(root, "a/folderlink")))
	must(t, os.Symlink(outside, filepath.Join(root, "out")))
	must(t, os.Symlink("/nowhere", filepath.Join(root, "dangling")))
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	socket, err := net.Listen("unix", filepath.Join(root, "socket"))
	must(t, err)
	defer socket.Close()

	f, id, err := Open(root, "a/b/x\n\xff")
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	if want, ok := IdentityOf(info); !ok || id != want || id.Size != 7 || id.Inode == 0 || id.ModTime == 0 {
		t.Errorf("identity %+v, want %+v", id, want)
	}
	if got, err := io.ReadAll(f); string(got) != "content" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if st, err := Stat(root, "a/b/x\n\xff"); err != nil || st != id {
		t.Errorf("Stat: %+v, %v", st, err)
	}

	wasOpened, before := watchOpens(t, filepath.Join(root, "fifo"), filepath.Join(outside, "secret")), openNow(t)
	for rel, want := range map[string]error{
		"none":             fs.ErrNotExist,
		"none/x":           fs.ErrNotExist,
		"a/b/x\n\xff/y":    ErrNotRegular,
		"a":                ErrNotRegular,
		"fifo":             ErrNotRegular,
		"socket":           ErrNotRegular,
		"dangling":         ErrNotRegular,
		"a/b/link":         ErrNotRegular,
		"a/folderlink/x":   ErrNotRegular,
		"out/secret":       ErrNotRegular,
		"out/sub/secret":   ErrNotRegular,
		"out":              ErrNotRegular,
		"../inbox/a/b/x":   fs.ErrInvalid,
		"a/../a":           fs.ErrInvalid,
		"":                 fs.ErrInvalid,
		".":                fs.ErrInvalid,
		"/etc/hostname":    fs.ErrInvalid,
		"a\x00":            fs.ErrInvalid,
		"a/b/../../../etc": fs.ErrInvalid,
	} {
		if f, _, err := Open(root, rel); !errors.Is(err, want) || f != nil {
			t.Errorf("Open(%q): %v, want %v", rel, err, want)
		}
		if _, err := Stat(root, rel); !errors.Is(err, want) {
			t.Errorf("Stat(%q): %v, want %v", rel, err, want)
		}
		if _, err := Examine(root, rel); !errors.Is(err, want) {
			t.Errorf("Examine(%q): %v, want %v", rel, err, want)
		}
	}
	if wasOpened() { // which wakes who waits to write to a FIFO
		t.Error("the FIFO, or a file outside, was opened")
	}
	_, _, err = Open(root+"none", "x")
	if !errors.Is(err, ErrNoRoot) || errors.Is(err, fs.ErrNotExist) || !DiskTrouble(err) {
		t.Errorf("without root: %v", err)
	}
	// A link on the way to the root is the administrator's.
	must(t, os.Symlink(root, root+"2"))
	if _, err := Stat(root+"2", "a/b/x\n\xff"); err != nil {
		t.Error(err)
	}
	same(t, "open files", openNow(t), before)
}

// watchOpens returns a function that reports whether one of the files was opened.
func watchOpens(t *testing.T, paths ...string) (wasOpened func() bool) {
	t.Helper()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(t, err)
	t.Cleanup(func() { unix.Close(watch) })
	for _, path := range paths {
		_, err := unix.InotifyAddWatch(watch, path, unix.IN_OPEN)
		must(t, err)
	}
	return func() bool {
		n, err := unix.Read(watch, make([]byte, 1000))
		return n > 0 || !errors.Is(err, unix.EAGAIN)
	}
}

// swapping exchanges two names again and again, in turn for each of the others, until
// stop returns true.
func swapping(t *testing.T, name string, others ...string) (stop func() bool) {
	const rounds = 20_000
	done := make(chan error, 1)
	go func() {
		for i := range rounds {
			other := others[i/2%len(others)] // each there and back
			if err := unix.Renameat2(unix.AT_FDCWD, name, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return func() bool {
		select {
		case err := <-done:
			must(t, err)
			return true
		default:
			return false
		}
	}
}

// While folders are swapped for links, nothing outside is ever opened.
func TestOpenDuringASwap(t *testing.T) {
	base := t.TempDir()
	root, outside := filepath.Join(base, "in"), filepath.Join(base, "out")
	for _, dir := range []string{filepath.Join(root, "a"), outside} {
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "x"), []byte(filepath.Base(dir)), 0o644))
	}
	must(t, os.Symlink(outside, filepath.Join(root, "b")))
	for over := swapping(t, filepath.Join(root, "a"), filepath.Join(root, "b")); !over(); {
		f, _, err := Open(root, "a/x")
		if err != nil {
			continue
		}
		got, err := io.ReadAll(f)
		must(t, errors.Join(err, f.Close()))
		if string(got) != "a" {
			t.Errorf("read %q from outside", got)
		}
	}
}

// While a file is swapped for what is none, nothing but the file is ever returned.
// What a link leads to is not opened.
func TestOpenDuringASwapOfTheFile(t *testing.T) {
	base := t.TempDir()
	root, secret := filepath.Join(base, "in"), filepath.Join(base, "secret")
	in := func(name string) string { return filepath.Join(root, name) }
	must(t, os.Mkdir(root, 0o755))
	must(t, os.WriteFile(secret, []byte("secret"), 0o644))
	must(t, os.WriteFile(in("x"), []byte("x"), 0o644))
	must(t, os.Symlink(secret, in("link")))
	must(t, unix.Mkfifo(in("fifo"), 0o644))
	wasOpened := watchOpens(t, secret)
	opened := 0
	for over := swapping(t, in("x"), in("link"), in("fifo")); !over(); {
		f, _, err := Open(root, "x")
		if err != nil {
			if !errors.Is(err, ErrNotRegular) && !errors.Is(err, ErrChanged) {
				t.Fatal(err)
			}
			continue
		}
		opened++
		got := make([]byte, 9)
		n, err := f.ReadAt(got, 0)
		if string(got[:n]) != "x" || !errors.Is(err, io.EOF) {
			t.Fatalf("opened something that reads %q, %v", got[:n], err)
		}
		must(t, f.Close())
	}
	if wasOpened() {
		t.Error("what the link leads to was opened")
	}
	if opened == 0 {
		t.Error("never opened")
	}
}

func TestIdentityOf(t *testing.T) {
	folder, err := os.Lstat(t.TempDir())
	must(t, err)
	for _, info := range []fs.FileInfo{folder, nil} {
		if _, ok := IdentityOf(info); ok {
			t.Errorf("%v has an identity", info)
		}
	}
	a := Identity{1, 2, 3, 4, 5}
	for i, b := range []Identity{{9, 2, 3, 4, 5}, {1, 9, 3, 4, 5}, {1, 2, 9, 4, 5}, {1, 2, 3, 9, 5}} {
		if a == b || a.SameContent(b) {
			t.Errorf("%d: the same", i)
		}
	}
	if b := (Identity{1, 2, 3, 4, 9}); a == b || !a.SameContent(b) {
		t.Error("the change time counts as content, or not at all")
	}
}
