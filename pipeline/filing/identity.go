package filing

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// Errors that callers tell apart with errors.Is. fs.ErrExist (the target name
// is taken), fs.ErrNotExist (the file is gone, while the folder that it should
// be in the tree of is there) and fs.ErrPermission are used besides.
var (
	// ErrNotRegular: the name stands for a symbolic link, FIFO, socket,
	// device or folder, or is reached through a symbolic link. It was not
	// opened.
	ErrNotRegular = errors.New("not a regular file")
	// ErrChanged: the file is not the one that the caller described, or it
	// changed while it was being moved. Whatever stands there stays there.
	ErrChanged = errors.New("the file has changed")
	// ErrBusy: another process has the file open for writing, or holds a
	// lease on it. Try again later.
	ErrBusy = errors.New("the file is open for writing")
	// ErrNotFolder: a folder beneath the sorted root is a symbolic link or
	// not a folder, and is not written through.
	ErrNotFolder = errors.New("not a real folder")
	// ErrNoRoot: the inbox or sorted folder itself is not there (removed or
	// unmounted). Deliberately no fs.ErrNotExist: it says nothing about the
	// documents beneath it.
	ErrNoRoot = errors.New("the folder is missing or not mounted")
)

// Identity tells one state of one regular file from every other: two equal
// identities are the same file with the same content, as far as the kernel
// can tell without reading it. Device numbers may differ after a reboot and
// inode numbers are used again, so what is decided long after it was taken
// should be decided by the hash of the content too, as Mover does.
type Identity struct {
	// Device and Inode as in stat(2).
	Device, Inode uint64
	// Size in bytes.
	Size int64
	// ModTime and ChangeTime in nanoseconds since 1970.
	ModTime, ChangeTime int64
}

// IdentityOf takes the identity from what Stat or Lstat of package os
// returned. It is false for anything but a regular file.
func IdentityOf(info fs.FileInfo) (Identity, bool) {
	if info == nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Identity{}, false
	}
	// The conversions matter on architectures where the fields are smaller.
	return Identity{
		Device:     uint64(st.Dev),
		Inode:      st.Ino,
		Size:       st.Size,
		ModTime:    syscall.TimespecToNsec(st.Mtim),
		ChangeTime: syscall.TimespecToNsec(st.Ctim),
	}, true
}

// Same reports whether nothing at all changed between a and b.
func (a Identity) Same(b Identity) bool { return a == b }

// SameContent is Same without the change time: what a rename, a link, a chmod
// or a chown leaves alone.
func (a Identity) SameContent(b Identity) bool {
	return a.sameInode(b) && a.Size == b.Size && a.ModTime == b.ModTime
}

func (a Identity) sameInode(b Identity) bool {
	return a.Device == b.Device && a.Inode == b.Inode
}

func identityOf(st *unix.Stat_t) Identity {
	return Identity{
		Device:     uint64(st.Dev),
		Inode:      st.Ino,
		Size:       st.Size,
		ModTime:    st.Mtim.Nano(),
		ChangeTime: st.Ctim.Nano(),
	}
}

func isRegular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }

// DiskTrouble reports whether err speaks of a disk, mount or machine that is
// full, read-only, failing or away, and not of the one file that met it: hold
// everything, wait and try again. A refused permission is no DiskTrouble, it
// may concern one folder only.
func DiskTrouble(err error) bool {
	if errors.Is(err, ErrNoRoot) {
		return true
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
