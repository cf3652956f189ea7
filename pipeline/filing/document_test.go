package filing

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExamine(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.Symlink("a", filepath.Join(root, "link")))
	must(t, os.Symlink("a/b/x", filepath.Join(root, "file link")))
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	content := bytes.Repeat([]byte("x"), 70_000)
	before := openNow(t)
	for _, rel := range []string{"x", "a/x", "a/b/x"} {
		must(t, os.WriteFile(filepath.Join(root, rel), content, 0o644))
		e, err := Examine(root, rel)
		must(t, err)
		want, err := Stat(root, rel)
		must(t, err)
		same(t, "identity", e.Identity, want)
		info, err := os.Stat(root)
		must(t, err)
		same(t, "inode of the root", e.RootInode, info.Sys().(*syscall.Stat_t).Ino)
		same(t, "device of the root", e.RootDevice, uint64(info.Sys().(*syscall.Stat_t).Dev))
		must(t, e.Fixed)
		got, err := io.ReadAll(e)
		must(t, err)
		same(t, "content", bytes.Equal(got, content), true)
		must(t, e.Unchanged())
		must(t, e.Close())
	}
	for rel, want := range map[string]error{
		"none": fs.ErrNotExist, "none/x": fs.ErrNotExist, "x/y": fs.ErrNotExist, "../x": fs.ErrInvalid, "": fs.ErrInvalid,
		"a": ErrNotRegular, "fifo": ErrNotRegular, "file link": ErrNotRegular, "link/x": ErrNotRegular,
	} {
		if _, err := Examine(root, rel); !errors.Is(err, want) {
			t.Errorf("Examine %q: %v, want %v", rel, err, want)
		}
		if _, err := OpenDocument(root, rel); !errors.Is(err, want) {
			t.Errorf("OpenDocument %q: %v, want %v", rel, err, want)
		}
	}
	if _, err := Examine(filepath.Join(root, "away"), "x"); !errors.Is(err, ErrNoRoot) {
		t.Errorf("without the root: %v", err)
	}
	same(t, "open files", openNow(t), before)
}

func TestExamineWhatIsClosedToUs(t *testing.T) {
	root := publicDir(t)
	must(t, os.Mkdir(filepath.Join(root, "in"), 0o755))
	for name, mode := range map[string]fs.FileMode{"in/x": 0o644, "in/secret": 0o600, "y": 0o644} {
		must(t, os.WriteFile(filepath.Join(root, name), nil, 0o644))
		must(t, os.Chmod(filepath.Join(root, name), mode))
	}
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: nothing is closed to the owner")
	}
	asNobody(t, func() {
		for _, rel := range []string{"in/x", "y"} {
			e, err := Examine(root, rel)
			must(t, err)
			if !errors.Is(e.Fixed, fs.ErrPermission) {
				t.Errorf("%s in a folder that nobody may write to: %v", rel, e.Fixed)
			}
			must(t, e.Close())
		}
		if _, err := Examine(root, "in/secret"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file that may not be read: %v", err)
		}
	})
	must(t, os.Chmod(filepath.Join(root, "in"), 0o777))
	asNobody(t, func() {
		e, err := Examine(root, "in/x")
		must(t, err)
		must(t, e.Fixed)
		must(t, e.Close())
	})
}

func TestContentType(t *testing.T) {
	root := t.TempDir()
	for content, want := range map[string]string{
		"": "", "text": "", "%PDF-1.7 short": "application/pdf",
		strings.Repeat(" ", 1000) + "%PDF-1.4" + strings.Repeat("x", 9000): "application/pdf",
	} {
		must(t, os.WriteFile(filepath.Join(root, "x"), []byte(content), 0o644))
		d, err := OpenDocument(root, "x")
		must(t, err)
		got, err := d.ContentType()
		must(t, err)
		same(t, "type", got, want)
		all, err := io.ReadAll(d)
		must(t, err)
		same(t, "read afterwards", string(all), content)
		must(t, d.Close())
		if _, err := d.ContentType(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}

func TestDocumentThatChanges(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "x")
	must(t, os.WriteFile(path, []byte("one"), 0o644))
	d, err := OpenDocument(root, "x")
	must(t, err)
	must(t, os.Chmod(path, 0o600))
	must(t, d.Unchanged())
	must(t, os.WriteFile(path, []byte("three"), 0o644))
	if err := d.Unchanged(); !errors.Is(err, ErrChanged) {
		t.Errorf("written to: %v", err)
	}
	must(t, d.Close())
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after the end: %v", err)
	}
	if err := d.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

// A request may still be read while its document is closed: no byte of another
// file, which has the descriptor by then, may come.
func TestDocumentClosedWhileItIsRead(t *testing.T) {
	root := fastDir(t)
	must(t, os.WriteFile(filepath.Join(root, "x"), bytes.Repeat([]byte("x"), 1000), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "y"), bytes.Repeat([]byte("y"), 1000), 0o644))
	for range 200 {
		d, err := OpenDocument(root, "x")
		must(t, err)
		var g sync.WaitGroup
		g.Go(func() {
			got, err := io.ReadAll(io.LimitReader(d, 999))
			if bytes.Contains(got, []byte("y")) {
				t.Error("content of another file")
			}
			if err != nil && !errors.Is(err, fs.ErrClosed) {
				t.Error(err)
			}
		})
		must(t, d.Close())
		other, err := OpenDocument(root, "y")
		must(t, err)
		g.Wait()
		must(t, other.Close())
	}
}
