package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mayMove returns nil if this process may move a file out of the folder, as far as
// can be told without trying. Otherwise the error says what forbids it, where, and
// what to do, and is an fs.ErrPermission or unix.EROFS. Security modules and file
// servers may still refuse the move.
func (d dir) mayMove(name string) error {
	path := filepath.Join(d.path, name)
	st, err := d.stat(name)
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, err)
	}
	folder, err := fstat(d.fd)
	if err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	refuse := func(why, remedy string) error {
		return fmt.Errorf("%q cannot be moved: %s; %s: %w", path, why, remedy, fs.ErrPermission)
	}
	me := os.Geteuid()
	switch err := d.writable(); {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%q cannot be moved: its filesystem is mounted read-only; mount it read-write: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return refuse(fmt.Sprintf("its folder %q (mode %04o) may not be written to by the user that docusort runs as",
			d.path, folder.Mode&0o7777), "chmod g+w on the folder helps, and 'doctor --fix', run as root, does that for all")
	case err != nil:
		return fmt.Errorf("access to %q: %w", d.path, err)
	}
	switch {
	case folder.Mode&unix.S_ISVTX != 0 && folder.Uid != uint32(me) && st.Uid != uint32(me) && me != 0:
		return refuse(fmt.Sprintf("its folder %q has the sticky bit, and the file belongs to another user than the one that docusort runs as",
			d.path), "take the bit off the folder (chmod -t) or change the owner")
	case d.immutable(name):
		return refuse("it has the immutable or append-only attribute", "take it off with chattr -i -a")
	case d.immutable(""):
		return refuse(fmt.Sprintf("its folder %q has the immutable or append-only attribute", d.path),
			"take it off with chattr -i -a")
	}
	return nil
}

func (d dir) writable() error {
	return retryEINTR(func() error {
		return unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	})
}

// immutable reports whether a name in the folder, or for "" the folder itself, has
// an attribute that forbids to move it. Not every kernel and filesystem tells.
func (d dir) immutable(name string) bool {
	var st unix.Statx_t
	err := retryEINTR(func() error {
		return unix.Statx(d.fd, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH, 0, &st)
	})
	return err == nil && st.Attributes&st.Attributes_mask&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0
}

// leastSpace is the free space, in bytes, below which a disk counts as full: room
// for one document as scanners make them.
const leastSpace = 1 << 20

// Writable reports whether documents can be put into the folder at all, so that
// trouble of one document is told from trouble of the disk. The error is one of
// DiskTrouble where the folder is missing, its filesystem is read-only, or less
// than 1 MiB is free; it is an fs.ErrPermission where this process may not write
// to the folder itself.
func Writable(folder string) error {
	d, err := openRoot(folder)
	if err != nil {
		return err
	}
	defer d.close()
	st, err := fstatfs(d.fd)
	if err != nil {
		return fmt.Errorf("statfs %q: %w", folder, err)
	}
	if st.Flags&unix.ST_RDONLY != 0 {
		return fmt.Errorf("write to %q: %w", folder, unix.EROFS)
	}
	if free, known := freeSpace(&st); known && free < leastSpace {
		return fmt.Errorf("write to %q: less than 1 MiB is free: %w", folder, unix.ENOSPC)
	}
	if err := d.writable(); err != nil {
		return fmt.Errorf("write to %q: %w", folder, err)
	}
	return nil
}

// freeSpace returns how many bytes this user may still write to a filesystem, and false
// where it does not tell.
func freeSpace(st *unix.Statfs_t) (uint64, bool) {
	return st.Bavail * uint64(st.Frsize), st.Blocks > 0
}
