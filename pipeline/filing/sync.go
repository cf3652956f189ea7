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

// Many files and folders are made durable by one sync of their filesystem
// (syncfs), which is much cheaper than a sync of each.
const (
	fewContents = 4 // fewer are synced one by one
	fewFolders  = 3
	// A syncfs waits for what other programs wrote, too. After one that took
	// longSync, files and folders are synced one by one for syncRest times as long.
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

// syncFilesystem syncs all of the filesystem of a folder. After an error, files and
// folders have to be synced one by one: the error may be that of another file.
func (m *Mover) syncFilesystem(d dir) error {
	m.mu.Lock()
	resting := time.Now().Before(m.syncAfter)
	m.mu.Unlock()
	if resting || !syncsWhole(d.fd) {
		return errors.ErrUnsupported
	}
	begun := time.Now()
	err := m.step("sync filesystem", func() error { return syncFolder(d, unix.Syncfs, unix.Fsync) })
	if took := time.Since(begun); took >= longSync {
		m.mu.Lock()
		m.syncAfter = time.Now().Add(syncRest * took)
		m.mu.Unlock()
	}
	return err
}

// syncsWhole reports whether a syncfs is known to be as good as a sync of each file
// and folder, and no more work. FUSE may not pass it on; Btrfs and F2FS do much more
// for it than for a file.
func syncsWhole(fd int) bool {
	st, err := fstatfs(fd)
	if err != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
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
	folderOf := func(f File) File { return File{f.Root, filepath.Dir(f.Rel)} }
	folders := make(map[File]bool)
	for _, f := range files {
		folders[folderOf(f)] = true
	}
	together := len(folders) >= fewFolders
	devices := make(map[uint64]bool)
	results := make(map[File]error)
	errs := make([]error, len(files))
	for i, f := range files {
		folder := folderOf(f)
		if _, done := results[folder]; !done {
			results[folder] = m.syncFolderOf(f, together, devices)
		}
		errs[i] = results[folder]
	}
	return errs
}

// syncFolderOf syncs the folder of a file, or together with others all of its
// filesystem. devices says for those that were tried whether they are synced.
func (m *Mover) syncFolderOf(f File, together bool, devices map[uint64]bool) error {
	d, name, err := openParent(f.Root, f.Rel)
	for err != nil && isAbsent(err) && strings.Contains(f.Rel, "/") {
		f.Rel = filepath.Dir(f.Rel)
		d, name, err = openParent(f.Root, f.Rel)
	}
	if err != nil {
		return err
	}
	defer d.close()
	st, err := fstat(d.fd)
	if err != nil {
		return err
	}
	synced, tried := devices[uint64(st.Dev)]
	if together && !tried {
		synced = m.syncFilesystem(d) == nil
		devices[uint64(st.Dev)] = synced
	}
	if synced {
		return nil
	}
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
