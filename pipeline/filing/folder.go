package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MakeFolder makes the folder rel beneath sorted, and those above it, where they
// are missing. No link beneath sorted is followed: ErrNotFolder. A new folder gets
// the mode of its parent (so that a group that may write to sorted may do so
// everywhere), and the parent is synced. ErrName: choose a SafeFolder. ErrNoRoot where
// sorted itself is missing: it is never made, because it may be a mount point.
func (m *Mover) MakeFolder(sorted, rel string) error {
	rel, err := localPath(rel)
	if err != nil {
		return err
	}
	d, err := m.makeFolders(sorted, rel)
	d.close()
	return err
}

// makeFolders is MakeFolder that returns the folder open; rel may be empty.
func (m *Mover) makeFolders(sorted, rel string) (dir, error) {
	d, err := openRoot(sorted)
	if err != nil {
		return noDir, err
	}
	return d.walk(rel, m.enterOrMake)
}

// enterOrMake opens one folder in another, making it where it is missing.
func (m *Mover) enterOrMake(at dir, name string) (dir, error) {
	d, err := at.openDir(name)
	if errors.Is(err, unix.ENOENT) {
		made := m.mkdir(at, name)
		m.durable.Delete(filepath.Join(at.path, name))
		if d, err = at.openDir(name); err != nil && made != nil {
			err = fmt.Errorf("make it: %w", made)
		}
	}
	path := filepath.Join(at.path, name)
	switch {
	case errors.Is(err, unix.ENOTDIR):
		return noDir, fmt.Errorf("%q is a link or a file, not a folder; move it away: %w", path, ErrNotFolder)
	case err != nil && SafeName(name) != name && !DiskTrouble(err):
		return noDir, fmt.Errorf("open folder %q: %w (%v)", path, ErrName, err)
	case err != nil:
		return noDir, fmt.Errorf("open folder %q: %w", path, notGone(err))
	}
	if err := m.syncOnce(at, d); err != nil {
		d.close()
		return noDir, err
	}
	return d, nil
}

// syncOnce syncs the parent of a folder the first time that this process meets the
// folder: a process that was killed may have made it, or the sync may have failed.
func (m *Mover) syncOnce(parent, d dir) error {
	st, err := fstat(d.fd)
	if err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	id := [2]uint64{uint64(st.Dev), st.Ino}
	if known, _ := m.durable.Load(d.path); known == id {
		return nil
	}
	if err := m.syncDir("fsync parent folder", parent); err != nil {
		return err
	}
	m.durable.Store(d.path, id)
	return nil
}

// notGone keeps a missing target folder from reading as a missing document.
func notGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%v)", ErrNoRoot, err)
	}
	return err
}

func (m *Mover) mkdir(at dir, name string) error {
	parent, err := fstat(at.fd)
	if err != nil {
		return err
	}
	perm := parent.Mode & 0o777
	if err := m.step("mkdir", func() error { return unix.Mkdirat(at.fd, name, perm) }); err != nil {
		return err
	}
	// The umask took bits away. The kernel sets the set-group-ID bit, which a chmod
	// has to name to keep. A refusal (RestrictSUIDSGID) leaves a folder that works,
	// with less for the group.
	if st, err := at.stat(name); err == nil && st.Mode&0o777 != perm {
		_ = m.step("chmod folder", func() error {
			return unix.Fchmodat(at.fd, name, st.Mode&0o7000|perm, 0)
		})
	}
	return nil
}

// RemoveEmptyFolder removes the folder rel beneath root if nothing is in it,
// without following links. It returns false, with no error, where something is in
// it, where it is not a folder or is a mount point, where it is gone, and for root
// itself.
func RemoveEmptyFolder(root, rel string) (bool, error) {
	if rel == "" || filepath.Clean(rel) == "." {
		return false, nil
	}
	d, name, err := openParent(root, rel)
	if isAbsent(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer d.close()
	err = retryEINTR(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOENT),
		errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EBUSY):
		return false, nil
	}
	return false, fmt.Errorf("remove folder %q: %w", filepath.Join(d.path, name), err)
}
