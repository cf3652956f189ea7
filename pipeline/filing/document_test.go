package filing

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExamine(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
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
	if _, err := Examine(filepath.Join(root, "away"), "x"); !errors.Is(err, ErrNoRoot) {
		t.Errorf("without the root: %v", err)
	}
	same(t, "open files", openNow(t), before)
}

func TestContentType(t *testing.T) {
	root := t.TempDir()
	for content, want := range map[string]string{
		"": "", "text": "", "%PDF-1.7 short": "application/pdf",
		strings.Repeat(" ", 1000) + "%PDF-1.4" + strings.Repeat("x", 9000): "application/pdf",
	} {
		must(t, os.WriteFile(filepath.Join(root, "x"), []byte(content), 0o644))
		d, err := Examine(root, "x")
		must(t, err)
		got, other, err := d.ContentType()
		must(t, err)
		same(t, "type", got, want)
		same(t, "other format", other, map[string]string{"text": "plain text"}[content])
		all, err := io.ReadAll(d)
		must(t, err)
		same(t, "read afterwards", string(all), content)
		must(t, d.Close())
		if _, _, err := d.ContentType(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}

func TestDocumentThatChanges(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "x")
	must(t, os.WriteFile(path, []byte("one"), 0o644))
	d, err := Examine(root, "x")
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

func TestInspect(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "scan.png")
	must(t, os.WriteFile(path, []byte("\x89PNG\r\n\x1a\nhalf"), 0o644))
	want := func(want Inspection) {
		t.Helper()
		got, err := Inspect(root, "scan.png", 1000)
		must(t, err)
		if got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	want(Inspection{})
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	must(t, err)
	want(Inspection{Writing: true})
	_, err = f.WriteString("\x00\x00\x00\x00IEND\xae\x42\x60\x82")
	must(t, err)
	want(Inspection{Writing: true, Complete: true})
	must(t, f.Close())
	want(Inspection{Complete: true})

	// A reader is no writer, and the lease was given back: a writer that
	// does not want to wait is not refused.
	r, err := os.Open(path)
	must(t, err)
	defer r.Close()
	want(Inspection{Complete: true})
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	must(t, err)
	must(t, unix.Close(fd))

	must(t, os.WriteFile(path, make([]byte, 1000), 0o644)) // reserved, and nothing written yet
	want(Inspection{Writing: true, Complete: true})
	must(t, os.WriteFile(path, make([]byte, 1001), 0o644)) // too large whatever will be in it
	want(Inspection{Complete: true})
}

// Someone who holds a write lease (Samba) writes; nobody waits for them.
func TestInspectUnderAWriteLease(t *testing.T) {
	root := t.TempDir()
	f, err := os.Create(filepath.Join(root, "x"))
	must(t, err)
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	must(t, err)
	got, err := Inspect(root, "x", 1000)
	must(t, err)
	if !got.Writing {
		t.Error("not writing")
	}
	if _, _, err := Open(root, "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("Open: %v, want ErrBusy", err)
	}
}
