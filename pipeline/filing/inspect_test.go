package filing

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestInspect(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "scan.png")
	must(t, os.WriteFile(path, []byte("\x89PNG\r\n\x1a\nhalf"), 0o644))
	want := func(want Inspection) {
		t.Helper()
		got, err := Inspect(root, "scan.png")
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
}

// Someone who holds a write lease (Samba) writes; nobody waits for them.
func TestInspectUnderAWriteLease(t *testing.T) {
	root := t.TempDir()
	f, err := os.Create(filepath.Join(root, "x"))
	must(t, err)
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	must(t, err)
	got, err := Inspect(root, "x")
	must(t, err)
	if !got.Writing {
		t.Error("not writing")
	}
	if _, _, err := Open(root, "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("Open: %v, want ErrBusy", err)
	}
}

// The signal that a broken lease sends must not end the process.
func TestSIGIOIsHarmless(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "FILING_SIGIO="+filepath.Join(t.TempDir(), "x"))
	if out, err := child.CombinedOutput(); err != nil || string(out) != "alive\n" {
		t.Fatalf("%v: %s", err, out)
	}
}

// breakOwnLease is the child of TestSIGIOIsHarmless: with the signal in its
// default disposition it has a lease broken, and then shows, by asking for the
// signal, that this is what sends it.
func breakOwnLease() int {
	path := os.Getenv("FILING_SIGIO")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		return 2
	}
	breakIt := func() bool {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
			return false
		}
		_, err = unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0)
		return errors.Is(err, unix.EAGAIN)
	}
	if !breakIt() {
		return 3
	}
	got := make(chan os.Signal, 1)
	signal.Notify(got, unix.SIGIO)
	if !breakIt() {
		return 4
	}
	<-got
	fmt.Println("alive")
	return 0
}
