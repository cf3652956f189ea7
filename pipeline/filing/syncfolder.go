package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// SyncFolderOf makes the name of the file rel beneath root last through a loss of
// power, or its absence. For a folder that is gone the nearest one above it is
// synced. One that this process may write to and not read, which fsync asks for,
// is synced with all of its filesystem, where a folder above may be read:
// fs.ErrPermission if none is.
func SyncFolderOf(root, rel string) error {
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
