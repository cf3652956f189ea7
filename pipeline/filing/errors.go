package filing

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Errors that callers tell apart with errors.Is. Beside them: fs.ErrExist (the
// target name is taken), fs.ErrNotExist (the file is gone, but its root is there)
// and fs.ErrPermission.
var (
	// ErrNotRegular: the name is a symbolic link, FIFO, socket, device or folder,
	// or is reached through a symbolic link. It was not opened.
	ErrNotRegular = errors.New("not a regular file")
	// ErrChanged: the file is not the one that the caller described, or it changed
	// while it was being moved. It stays where it is.
	ErrChanged = errors.New("the file has changed")
	// ErrBusy: another process has the file open for writing, or holds a lease on
	// it. Try again later.
	ErrBusy = errors.New("the file is open for writing")
	// ErrNeedsCopy: the target is on another filesystem, or on one that can neither
	// rename without overwriting nor link. Nothing was done; call Copy.
	ErrNeedsCopy = errors.New("the content has to be copied")
	// ErrNotFolder: a folder beneath the sorted root is a symbolic link or a file,
	// and is not written through.
	ErrNotFolder = errors.New("not a real folder")
	// ErrName: the filesystem does not take the name of the target, or of its folder.
	// Nothing was done; choose another with NextName or SafeFolder.
	ErrName = errors.New("the filesystem does not take this name")
	// ErrNoRoot: the inbox or sorted folder itself is missing (removed or
	// unmounted). It is not an fs.ErrNotExist, because it says nothing about the
	// documents beneath it.
	ErrNoRoot = errors.New("the folder is missing or not mounted")
)

// ownError is trouble that says nothing about other documents: with the content of
// one, such as a bad spot on the disk, or with a filesystem mounted beneath sorted.
type ownError struct{ error }

func (e ownError) Unwrap() error { return e.error }

// DiskTrouble reports whether err is about a disk, mount or machine that is full,
// read-only, failing or missing, and not about the one file that met it: hold
// everything, wait and try again. Not DiskTrouble is an error of a Mover with the
// content of its source, or with a target on another filesystem than that of Sorted;
// nor is a refused permission, which may concern one folder only; see Writable.
func DiskTrouble(err error) bool {
	if errors.Is(err, ErrNoRoot) {
		return true
	}
	if errors.As(err, new(ownError)) {
		return false
	}
	for _, errno := range []unix.Errno{
		unix.ENOSPC, unix.EDQUOT, unix.EROFS, unix.EIO, unix.ESTALE,
		unix.ENOTCONN, unix.ENODEV, unix.ENXIO, unix.ETIMEDOUT,
		unix.EHOSTDOWN, unix.EMFILE, unix.ENFILE, unix.ENOMEM,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
