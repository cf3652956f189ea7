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

// File is a file rel beneath root, as in Move.
type File struct{ Root, Rel string }

func (f File) folder() File { return File{f.Root, filepath.Dir(f.Rel)} }

// SyncFoldersOf does for many files what syncFolderOf does for one, each folder
// once or several at once. The errors are in the order of the files.
func (m *Mover) SyncFoldersOf(files []File) []error {
	first := make(map[File]File) // a file in each folder
	for _, f := range files {
		first[f.folder()] = f
	}
	last := m.syncFoldersAtOnce(first)
	known := make(map[File]error)
	errs := make([]error, len(files))
	for i, f := range files {
		folder := f.folder()
		if last[folder] {
			continue
		}
		err, done := known[folder]
		if !done {
			err = m.step("fsync folder", func() error { return syncFolderOf(f.Root, f.Rel) })
			known[folder] = err
		}
		errs[i] = err
	}
	return errs
}

// fewFolders is how many folders a sync of their whole filesystem is worth it for.
const fewFolders = 3

// syncFoldersAtOnce syncs the filesystems that many of the folders are on, and
// returns the folders that need nothing more.
func (m *Mover) syncFoldersAtOnce(folders map[File]File) (last map[File]bool) {
	if len(folders) < fewFolders || !m.wholeSync.may(time.Now()) {
		return nil
	}
	type filesystem struct {
		by      dir // a folder on it
		folders []File
	}
	devices := make(map[uint64]*filesystem)
	for folder, f := range folders {
		d, _, err := openParent(f.Root, f.Rel)
		var st unix.Stat_t
		if err != nil || unix.Fstat(d.fd, &st) != nil {
			d.close()
			continue // gone, or trouble: syncFolderOf knows what to do
		}
		on := devices[uint64(st.Dev)]
		if on == nil {
			on = &filesystem{by: d}
			devices[uint64(st.Dev)] = on
			defer d.close()
		} else {
			d.close()
		}
		on.folders = append(on.folders, folder)
	}
	last = make(map[File]bool)
	for device, on := range devices {
		if len(on.folders) < fewFolders || m.syncWhole(on.by, device) != nil {
			continue
		}
		for _, folder := range on.folders {
			last[folder] = true
		}
	}
	return last
}

// syncFolderOf makes the name of the file rel beneath root last through a loss of
// power, or its absence. For a folder that is gone the nearest one above it is
// synced. One that this process may write to and not read, which fsync asks for,
// is synced with all of its filesystem, where a folder above may be read:
// fs.ErrPermission if none is.
func syncFolderOf(root, rel string) error {
	rel, err := localPath(rel)
	if err != nil {
		return fmt.Errorf("sync the folder of a file: %w", err)
	}
	for {
		d, _, err := openParent(root, rel)
		if err != nil && absent(err) && strings.Contains(rel, "/") {
			rel = filepath.Dir(rel)
			continue
		}
		if err != nil {
			return err
		}
		defer d.close()
		err = syncFolder(d.fd, ".")
		if errors.Is(err, fs.ErrPermission) {
			err = syncAround(d, root, rel)
		}
		if err != nil {
			return fmt.Errorf("sync folder %q: %w", d.path, err)
		}
		return nil
	}
}

// syncAround syncs the filesystem of the folder d, that of rel, by way of a folder
// above it that can be read.
func syncAround(d dir, root, rel string) error {
	var want unix.Stat_t
	if err := unix.Fstat(d.fd, &want); err != nil {
		return err
	}
	for strings.Contains(rel, "/") {
		rel = filepath.Dir(rel)
		above, _, err := openParent(root, rel)
		if err != nil {
			return err
		}
		err = above.syncFilesystem(uint64(want.Dev))
		above.close()
		if !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return unix.EACCES
}

// syncFilesystem syncs all of the folder's filesystem, if it is that device.
func (d dir) syncFilesystem(device uint64) error {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if uint64(st.Dev) != device {
		return unix.EACCES
	}
	return again(func() error { return unix.Syncfs(fd) })
}
