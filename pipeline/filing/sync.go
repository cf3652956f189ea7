package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Many files are made durable by one sync of their filesystem (syncfs), which is much
// cheaper than a sync of each. Folders are not: after the first, little is left to do.
const (
	fewContents = 4 // fewer are synced one by one
	// A syncfs waits for what other programs wrote, too. After one that took
	// longSync, files are synced one by one for syncRest times as long.
	longSync = time.Second
	syncRest = 30
)

// SyncContents makes the contents of documents durable before they are moved, all at
// once, and marks the moves. It reports whether it did: Do then waits for nothing.
// Where it did not, and for a document that has changed since its Identity was taken,
// Do syncs the content, so that moves are best made several at a time.
func (m *Mover) SyncContents(moves []Move) bool {
	if len(moves) < fewContents {
		return false
	}
	d, err := openRoot(moves[0].Root)
	if err != nil {
		return false // Do reports it
	}
	defer d.close()
	st, err := fstat(d.fd)
	if err != nil || m.syncFilesystem(d) != nil {
		return false
	}
	for i := range moves {
		moves[i].synced = moves[i].Identity.Device == uint64(st.Dev)
	}
	return true
}

// syncContent makes the content of the source durable. A syncfs does not tell
// whose writes were lost, so the kernel is asked for each file.
func (t *transfer) syncContent() error {
	if t.synced && identityOf(&t.was) == t.Identity {
		err := t.step("look for lost writes", func() error {
			return unix.SyncFileRange(int(t.file.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
		})
		if !unsupported(err) {
			return err
		}
	}
	return t.step("fsync source", t.file.Sync)
}

// syncFilesystem syncs all of the filesystem of a folder. After an error, files have to
// be synced one by one: the error may be that of another file.
func (m *Mover) syncFilesystem(d dir) error {
	if time.Now().UnixNano() < m.syncAfter.Load() || !syncsWhole(d.fd) {
		return errors.ErrUnsupported
	}
	begun := time.Now()
	err := m.step("sync filesystem", func() error { return syncFolder(d, unix.Syncfs, unix.Fsync) })
	if took := time.Since(begun); took >= longSync {
		m.syncAfter.Store(time.Now().Add(syncRest * took).UnixNano())
	}
	return err
}

// syncsWhole reports whether a syncfs is known to be as good as a sync of each file
// and folder, and no more work. FUSE may not pass it on; Btrfs and F2FS do much more
// for it than for a file.
func syncsWhole(fd int) bool {
	return isOn(fd, unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC)
}

// syncFolder opens the folder for reading, which syncs require, and calls each of
// them. An fsync after a syncfs costs nothing and reports a failed journal, which
// Linux before 5.17 does not report to a syncfs. Filesystems that cannot sync a
// folder (EINVAL: some network and FUSE ones) keep their own order.
func syncFolder(d dir, syncs ...func(fd int) error) error {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, sync := range syncs {
		err := retryEINTR(func() error { return sync(fd) })
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return nil
}

// syncDir makes the names in an open folder durable.
func (m *Mover) syncDir(op string, d dir) error {
	if err := m.step(op, func() error { return syncFolder(d, unix.Fsync) }); err != nil {
		return fmt.Errorf("sync folder %q: %w", d.path, err)
	}
	return nil
}

// File is a file Rel beneath Root, as in Move.
type File struct{ Root, Rel string }

// SyncFoldersOf makes the names of files, or their absence, durable: it syncs the
// folder of each, every folder once. Where a folder is gone, the nearest one above
// it is synced. A folder that this process may not read is an fs.ErrPermission, unless
// the file is there and may be read. The errors are in the order of the files.
func (m *Mover) SyncFoldersOf(files []File) []error {
	results := make(map[File]error)
	errs := make([]error, len(files))
	for i, f := range files {
		folder := File{f.Root, filepath.Dir(f.Rel)}
		if _, done := results[folder]; !done {
			results[folder] = m.syncFolderOf(f)
		}
		errs[i] = results[folder]
	}
	return errs
}

func (m *Mover) syncFolderOf(f File) error {
	d, name, err := openParent(f.Root, f.Rel)
	for err != nil && isAbsent(err) && strings.Contains(f.Rel, "/") {
		f.Rel = filepath.Dir(f.Rel)
		d, name, err = openParent(f.Root, f.Rel)
	}
	if err != nil {
		return err
	}
	defer d.close()
	err = m.step("fsync folder", func() error {
		err := syncFolder(d, unix.Fsync)
		if errors.Is(err, fs.ErrPermission) {
			// The folder may be written to but not read. The file stands in for it.
			if file, _, openErr := d.open(name); openErr == nil {
				defer file.Close()
				return unix.Syncfs(int(file.Fd()))
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sync folder %q: %w", d.path, err)
	}
	return nil
}
