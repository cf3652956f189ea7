package filing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// WriteFile writes data as the new file rel beneath sorted, making its folder where
// it is missing: whole and synced or not at all, and never over something
// (fs.ErrExist). The mode is set as given, whatever the umask; a zero modTime leaves
// the time of writing. Syncing the folder is left to the caller. Other errors are
// those of MakeFolder and of the disk; the file does not exist then.
func (m *Mover) WriteFile(sorted, rel string, data []byte, mode fs.FileMode, modTime time.Time) error {
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
	path := filepath.Join(d.path, name)

	m.writing.Lock()
	defer m.writing.Unlock()
	// The temporary is named after the file, so that the next try removes what a
	// killed one left.
	sum := sha256.Sum256([]byte(name))
	temp := temporaryPrefix + hex.EncodeToString(sum[:8]) + ".new"
	err = errors.Join(m.removeNew(d, temp), m.sweepReserved(d, name))
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if _, err := d.stat(name); err == nil {
		return fmt.Errorf("write %q: %w", path, fs.ErrExist)
	}
	err = m.writeNew(d, temp, data, mode, modTime)
	made, _ := d.stat(temp)
	if err == nil {
		err = m.renameNew("rename new file", d, temp, d, name)
	}
	if err == nil {
		return nil
	}
	swept := m.removeNew(d, temp)
	if st, serr := d.stat(name); serr == nil && made.Ino != 0 && identityOf(&st).sameInode(identityOf(&made)) {
		// Linked to its name, and only the removal of the other one failed.
		if swept != nil {
			m.log.Warn("a temporary stays until the file is written again", "path", path, "err", swept)
		}
		return nil
	}
	return errors.Join(fmt.Errorf("write %q: %w", path, notGone(err)), swept)
}

func (m *Mover) removeNew(d dir, temp string) error {
	if _, err := d.stat(temp); err != nil {
		return nil
	}
	return m.unlink("unlink new file", d, temp)
}

func (m *Mover) writeNew(d dir, temp string, data []byte, mode fs.FileMode, modTime time.Time) error {
	f, err := m.create(d, temp)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m.step("write new file", func() error { _, err := f.WriteAt(data, 0); return err }); err != nil {
		return err
	}
	if err := m.step("chmod new file", func() error { return f.Chmod(mode) }); err != nil {
		return err
	}
	if !modTime.IsZero() {
		stamp := unix.NsecToTimespec(modTime.UnixNano())
		err := m.step("utimes new file", func() error {
			return unix.UtimesNanoAt(d.fd, temp, []unix.Timespec{stamp, stamp}, unix.AT_SYMLINK_NOFOLLOW)
		})
		if err != nil {
			return err
		}
	}
	if err := m.step("fsync new file", func() error { return f.Sync() }); err != nil {
		return err
	}
	return m.step("close new file", func() error { return f.Close() })
}
