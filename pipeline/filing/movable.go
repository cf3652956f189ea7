package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// movable reports whether a file of the folder may be moved out of it by this
// process: nil if so, as far as can be told without trying. Otherwise the error
// says what forbids it, where, and what to do, and is an fs.ErrPermission or
// unix.EROFS. It is no promise: security modules and servers have their own word,
// and tell it only when the move is tried.
func (d dir) movable(name string) error {
	st, err := d.facts(name)
	if err != nil {
		return fmt.Errorf("stat %q: %w", filepath.Join(d.path, name), err)
	}
	folder, err := d.facts("")
	if err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	return d.fixed(name, folder, st)
}

// fixed is movable for what is known of the folder and the file.
func (d dir) fixed(name string, folder, st facts) error {
	path := filepath.Join(d.path, name)
	refuse := func(why, remedy string) error {
		return fmt.Errorf("%q cannot be moved: %s; %s: %w", path, why, remedy, fs.ErrPermission)
	}
	err := again(func() error {
		return unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	})
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%q cannot be moved: its filesystem is mounted read-only; mount it read-write: %w",
			path, unix.EROFS)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return refuse(fmt.Sprintf("its folder %q (owner %d, group %d, mode %04o) may not be written to by user %d",
			d.path, folder.uid, folder.gid, folder.mode&0o7777, os.Geteuid()),
			"give that user write and search permission on the folder")
	case err != nil:
		return fmt.Errorf("access to %q: %w", d.path, err)
	}
	if folder.mode&unix.S_ISVTX != 0 && !mine(folder.uid) && !mine(st.uid) && !ownsAll() {
		return refuse(fmt.Sprintf("its folder %q has the sticky bit and the file belongs to user %d, not to user %d",
			d.path, st.uid, os.Geteuid()), "take the bit off the folder (chmod -t) or change the owner")
	}
	if st.fixed {
		return refuse("it has the immutable or append-only attribute", "take it off with chattr -i -a")
	}
	if folder.fixed {
		return refuse(fmt.Sprintf("its folder %q has the immutable or append-only attribute", d.path),
			"take it off with chattr -i -a")
	}
	return nil
}

func mine(uid uint32) bool { return uid == uint32(os.Geteuid()) }

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
