package filing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// WriteFile writes data as the new file rel beneath sorted, making its folder where
// it is missing: whole and synced or not at all, and never over something
// (fs.ErrExist). The mode is set as given, whatever the umask. Syncing the folder is
// left to the caller. Other errors are those of MakeFolder and of the disk.
func (m *Mover) WriteFile(sorted, rel string, data []byte, mode fs.FileMode) error {
	rel, err := localPath(rel)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	parent, name := filepath.Split(rel)
	d, err := m.makeFolders(sorted, parent)
	if err != nil {
		return err
	}
	defer d.close()
	if err := m.writeFile(d, name, data, mode); err != nil {
		return fmt.Errorf("write %q: %w", filepath.Join(d.path, name), notGone(err))
	}
	return nil
}

func (m *Mover) writeFile(d dir, name string, data []byte, mode fs.FileMode) error {
	// The temporary is named after the file, so that the next try removes what a
	// killed one left.
	sum := sha256.Sum256([]byte(name))
	temp := temporaryPrefix + hex.EncodeToString(sum[:8]) + ".new"
	sweep := func() error { return m.unlink("unlink new file", d, temp) }
	if err := errors.Join(m.sweepKilled(d, name, temp), sweep()); err != nil {
		return err
	}
	_, err := m.writeNew(d, temp, func(f *os.File) error {
		if err := m.step("write new file", func() error { _, err := f.WriteAt(data, 0); return err }); err != nil {
			return err
		}
		return m.setAttribute("chmod new file", func() error { return f.Chmod(mode) })
	})
	if err == nil {
		err = m.renameNew("rename new file", d, temp, d, name)
	}
	if err != nil {
		err = errors.Join(err, sweep())
	}
	return err
}

// writeNew makes a file under a temporary name, which fill gives its content and
// attributes, syncs it, and returns its identity.
func (m *Mover) writeNew(d dir, name string, fill func(*os.File) error) (id Identity, err error) {
	fd := -1
	err = m.step("create", func() (err error) {
		fd, err = openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
		return err
	})
	if fd < 0 {
		return id, err
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	defer f.Close()
	if err == nil {
		err = fill(f)
	}
	if err == nil {
		err = m.step("fsync new file", f.Sync)
	}
	if err != nil {
		return id, err
	}
	st, err := fstat(fd)
	if err != nil {
		return id, err
	}
	// Some filesystems report a full disk only when the file is closed.
	return identityOf(&st), m.step("close new file", f.Close)
}
