package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// MakeFolder makes the folder rel beneath sorted, and those above it, where
// they are missing. No link beneath sorted is followed: ErrNotFolder. A new
// folder gets the mode of the one that it is made in (so that a group that may
// write to sorted may do so everywhere), and that one is synced. ErrNoRoot
// where sorted itself is missing: it is never made, it may be a mount point.
func (m *Mover) MakeFolder(sorted, rel string) error {
	d, err := m.folder(sorted, rel)
	d.close()
	return err
}

// folder is MakeFolder that returns the folder open; rel may be empty.
func (m *Mover) folder(sorted, rel string) (dir, error) {
	at, err := openRoot(sorted)
	if err != nil || strings.Trim(rel, "/") == "" {
		return at, err
	}
	if rel, err = localPath(rel); err != nil {
		at.close()
		return noDir, err
	}
	for part := range strings.SplitSeq(rel, "/") {
		next, err := m.enter(at, part)
		at.close()
		if err != nil {
			return noDir, err
		}
		at = next
	}
	return at, nil
}

// enter opens one folder in another, making it where it is missing.
func (m *Mover) enter(at dir, name string) (dir, error) {
	path := filepath.Join(at.path, name)
	fd, err := at.openFolder(name)
	var made error
	if errors.Is(err, unix.ENOENT) {
		made = m.mkdir(at, name)
		fd, err = at.openFolder(name)
	}
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOTDIR):
		return noDir, fmt.Errorf("%q is a link or a file, not a folder; move it away: %w", path, ErrNotFolder)
	case err != nil && made != nil:
		return noDir, fmt.Errorf("make folder %q: %w", path, notGone(made))
	case err != nil:
		return noDir, fmt.Errorf("open folder %q: %w", path, notGone(err))
	}
	d := dir{fd, path}
	if err := m.keepFolder(at, d); err != nil {
		d.close()
		return noDir, err
	}
	return d, nil
}

// keepFolder syncs the folder above the first time that this process meets a
// folder: it may have been made by a process that was killed before it could,
// or by this one while the disk did not let it.
func (m *Mover) keepFolder(above, d dir) error {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	key := [2]uint64{uint64(st.Dev), st.Ino}
	m.keeping.Lock()
	known := m.kept[key]
	m.keeping.Unlock()
	if known {
		return nil
	}
	if err := m.syncDir("fsync parent folder", above); err != nil {
		return err
	}
	m.keeping.Lock()
	defer m.keeping.Unlock()
	if m.kept == nil || len(m.kept) >= maxKept {
		m.kept = make(map[[2]uint64]bool)
	}
	m.kept[key] = true
	return nil
}

// maxKept bounds what keepFolder remembers.
const maxKept = 4096

// notGone keeps a missing target folder from reading as a missing document.
func notGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrNoRoot, err)
	}
	return err
}

func (d dir) openFolder(name string) (fd int, err error) {
	err = again(func() (err error) {
		fd, err = unix.Openat(d.fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

func (m *Mover) mkdir(at dir, name string) error {
	var above unix.Stat_t
	if err := unix.Fstat(at.fd, &above); err != nil {
		return err
	}
	perm := above.Mode & 0o777
	if err := m.step("mkdir", func() error { return unix.Mkdirat(at.fd, name, perm) }); err != nil {
		return err
	}
	// The umask took bits away. The kernel hands down the set-group-ID bit,
	// which has to be named to be kept. A refusal (RestrictSUIDSGID) leaves
	// a folder that works, if with less for the group.
	if st, err := at.stat(name); err == nil && st.Mode&0o777 != perm {
		_ = m.step("chmod folder", func() error {
			return unix.Fchmodat(at.fd, name, st.Mode&0o7000|perm, 0)
		})
	}
	return nil
}

// syncDir makes the names in an open folder last.
func (m *Mover) syncDir(op string, d dir) error {
	err := m.step(op, func() error { return syncFolder(d.fd, ".") })
	if err != nil {
		return fmt.Errorf("sync folder %q: %w", d.path, err)
	}
	return nil
}

// syncFolder opens the folder for real, which fsync asks for. Filesystems that
// cannot sync a folder (EINVAL: some network and FUSE ones) keep their own
// order.
func syncFolder(at int, name string) error {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = again(func() error { return unix.Fsync(fd) })
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// SyncFolders makes the names in the folders (absolute paths) last through a
// loss of power, each folder once. For a folder that is gone the nearest one
// above it is synced, so that its going lasts.
func SyncFolders(dirs ...string) error {
	done := make(map[string]bool, len(dirs))
	var errs []error
	for _, folder := range dirs {
		for folder = filepath.Clean(folder); !done[folder]; folder = filepath.Dir(folder) {
			done[folder] = true
			err := syncFolder(unix.AT_FDCWD, folder)
			if err == nil {
				break
			}
			if !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("sync folder %q: %w", folder, err))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// RemoveEmptyFolder removes the folder rel beneath root if there is nothing in
// it, without following links. It is false, with no error, where something is
// in it, where it is no folder or a mount point, where it is gone, and for
// root itself.
func RemoveEmptyFolder(root, rel string) (bool, error) {
	if rel == "" || filepath.Clean(rel) == "." {
		return false, nil
	}
	d, name, err := openParent(root, rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotRegular) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer d.close()
	err = again(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOENT),
		errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EBUSY):
		return false, nil
	}
	return false, fmt.Errorf("remove folder %q: %w", filepath.Join(d.path, name), err)
}
