package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A full disk fails what is to be stored, and nothing else.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { check1(t, syscall.Unmount(dir, 0)) })
	s := must[*Store](t)(Open(ctx, Config{Path: filepath.Join(dir, "docusort.db")}))
	defer s.Close()
	id := pending(t, s, found("a", "a"))

	check1(t, os.WriteFile(filepath.Join(dir, "filler"), nil, 0o644))
	filler := must[*os.File](t)(os.OpenFile(filepath.Join(dir, "filler"), os.O_WRONLY|os.O_APPEND, 0))
	for block := bytes.Repeat([]byte{1}, 4096); ; {
		if _, err := filler.Write(block); err != nil {
			break
		}
	}
	check1(t, filler.Close())
	var err error
	stored := 0
	for err == nil && stored < 1000 { // into the room that the -wal file still has
		a := found(fmt.Sprint(stored), fmt.Sprint(stored))
		a.Failure = strings.Repeat("x", 4000)
		if _, err = s.Admit(ctx, a); err == nil {
			stored++
		}
	}
	if !DiskTrouble(err) {
		t.Fatalf("after %d documents: %v", stored, err)
	}
	same(t, "documents", must[map[State]int](t)(s.Counts(ctx))[Waiting], stored)
	same(t, "state of an earlier one", doc(t, s, id).State, Pending)
	check1(t, os.Remove(filepath.Join(dir, "filler")))
	check1(t, s.Identified(ctx, id, invoice))
	admit(t, s, found("later", "later")) // with room again
	check1(t, s.Close())
	openAtClosed(t, s.path, stored+1)
}

func openAtClosed(t *testing.T, path string, waiting int) {
	t.Helper()
	s := must[*Store](t)(Open(ctx, Config{Path: path}))
	same(t, "waiting, opened again", must[map[State]int](t)(s.Counts(ctx))[Waiting], waiting)
	check1(t, s.Close())
}
