package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDiskTrouble(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, fs.ErrNotExist: false, fs.ErrExist: false, ErrChanged: false, syscall.EACCES: false,
		syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EROFS: true, syscall.EIO: true, syscall.ESTALE: true, ErrNoRoot: true,
	} {
		wrapped := err
		if err != nil {
			wrapped = fmt.Errorf("move: %w", errors.Join(errors.New("x"), err))
		}
		if got := DiskTrouble(wrapped); got != want {
			t.Errorf("DiskTrouble(%v) = %v", err, got)
		}
	}
}

// A document whose own content cannot be read or synced says nothing about the disk
// that others are on their way to.
func TestTroubleOfTheSourceIsNotTheDisk(t *testing.T) {
	for op, across := range map[string]bool{"fsync source": false, "read": true, "rename": false, "write": true} {
		w := newWorld(t, across)
		err := moverAt(op, false, func() error { return unix.EIO }).MoveOrCopy(t.Context(), w.mv)
		same(t, op, DiskTrouble(err), op == "rename" || op == "write")
		if !errors.Is(err, unix.EIO) {
			t.Errorf("%s: %v", op, err)
		}
		w.only(w.content, w.source())
	}
}
