package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Movable reports whether the file rel beneath root may be moved out of its
// folder by this process: nil if so, as far as can be told without trying.
// Otherwise the error says what forbids it, where, and what to do, and is an
// fs.ErrPermission or unix.EROFS. It is no promise: security modules and
// servers have their own word, and tell it only when the move is tried.
func Movable(root, rel string) error {
	d, name, err := openParent(root, rel)
	if err != nil {
		return err
	}
	defer d.close()
	return d.movable(name)
}

func (d dir) movable(name string) error {
	path := filepath.Join(d.path, name)
	st, err := d.stat(name)
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, err)
	}
	var folder unix.Stat_t
	if err := unix.Fstat(d.fd, &folder); err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	refuse := func(why, remedy string) error {
		return fmt.Errorf("%q cannot be moved: %s; %s: %w", path, why, remedy, fs.ErrPermission)
	}
	err = again(func() error {
		return unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	})
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%q cannot be moved: its filesystem is mounted read-only; mount it read-write: %w",
			path, unix.EROFS)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return refuse(fmt.Sprintf("its folder %q (owner %d, group %d, mode %04o) may not be written to by user %d",
			d.path, folder.Uid, folder.Gid, folder.Mode&0o7777, os.Geteuid()),
			"give that user write and search permission on the folder")
	case err != nil:
		return fmt.Errorf("access to %q: %w", d.path, err)
	}
	me := uint32(os.Geteuid())
	if folder.Mode&unix.S_ISVTX != 0 && folder.Uid != me && st.Uid != me && !ownsAll() {
		return refuse(fmt.Sprintf("its folder %q has the sticky bit and the file belongs to user %d, not to user %d",
			d.path, st.Uid, me), "take the bit off the folder (chmod -t) or change the owner")
	}
	const fixed = unix.STATX_ATTR_IMMUTABLE | unix.STATX_ATTR_APPEND
	if d.attributes(name)&fixed != 0 {
		return refuse("it has the immutable or append-only attribute", "take it off with chattr -i -a")
	}
	if d.attributes("")&fixed != 0 {
		return refuse(fmt.Sprintf("its folder %q has the immutable or append-only attribute", d.path),
			"take it off with chattr -i -a")
	}
	return nil
}

// attributes are those of a name in the folder, of the folder itself for "",
// or none where the kernel does not tell.
func (d dir) attributes(name string) uint64 {
	var st unix.Statx_t
	flags := unix.AT_SYMLINK_NOFOLLOW | unix.AT_STATX_DONT_SYNC
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	if unix.Statx(d.fd, name, flags, 0, &st) != nil {
		return 0
	}
	return st.Attributes & st.Attributes_mask
}

// ownsAll reports whether the process may act as the owner of every file
// (CAP_FOWNER), which lifts the sticky bit.
func ownsAll() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_FOWNER) != 0
}
