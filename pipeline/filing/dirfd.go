package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// dir is an open folder. Names are resolved against its descriptor, so that
// nobody can swap a component of the path for a link between two steps.
type dir struct {
	fd   int
	path string // for messages only
}

// noDir stands for a folder that does not exist.
var noDir = dir{fd: -1}

func (d dir) close() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
	}
}

// stat describes a name in the folder without following a link.
func (d dir) stat(name string) (st unix.Stat_t, err error) {
	if d.fd < 0 {
		return st, unix.ENOENT
	}
	err = retryEINTR(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, notThere(err)
}

// notThere makes an ENOENT of the errors with which filesystems look for a name that
// they cannot have.
func notThere(err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EILSEQ) || errors.Is(err, unix.ENAMETOOLONG) {
		return unix.ENOENT
	}
	return err
}

// has reports whether a name in the folder is one of the file id.
func (d dir) has(name string, id Identity) bool {
	st, err := d.stat(name)
	return err == nil && identityOf(&st).sameInode(id)
}

func fstat(fd int) (st unix.Stat_t, err error) {
	err = unix.Fstat(fd, &st)
	return st, err
}

func fstatfs(fd int) (st unix.Statfs_t, err error) {
	err = retryEINTR(func() error { return unix.Fstatfs(fd, &st) })
	return st, err
}

// retryEINTR repeats what a signal interrupted: network and FUSE filesystems
// return EINTR where local ones do not.
func retryEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func openat(at int, name string, flags int, perm uint32) (fd int, err error) {
	err = retryEINTR(func() (err error) {
		fd, err = unix.Openat(at, name, flags|unix.O_CLOEXEC, perm)
		return err
	})
	return fd, err
}

// openRoot opens the folder that everything else is beneath. Links in its own
// path are the administrator's choice and are followed.
func openRoot(root string) (dir, error) {
	fd, err := openat(unix.AT_FDCWD, root, unix.O_PATH|unix.O_DIRECTORY, 0)
	switch {
	case err == nil:
		return dir{fd, filepath.Clean(root)}, nil
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		// %v, so that this does not read as "the document is gone".
		return noDir, fmt.Errorf("open folder %q: %w (%v)", root, ErrNoRoot, err)
	}
	return noDir, fmt.Errorf("open folder %q: %w", root, err)
}

// openDir opens a folder in d. A link is refused with ENOTDIR, as a file is.
func (d dir) openDir(name string) (dir, error) {
	fd, err := openat(d.fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return noDir, notThere(err)
	}
	return dir{fd, filepath.Join(d.path, name)}, nil
}

// walk opens the folder rel beneath d, one component after the other, and closes d.
func (d dir) walk(rel string, open func(at dir, name string) (dir, error)) (dir, error) {
	for name := range strings.SplitSeq(rel, "/") {
		if name == "" {
			continue
		}
		next, err := open(d, name)
		d.close()
		if err != nil {
			return noDir, err
		}
		d = next
	}
	return d, nil
}

// enter opens a folder on the way to a source.
func enter(at dir, name string) (dir, error) {
	d, err := at.openDir(name)
	switch path := filepath.Join(at.path, name); {
	case err == nil:
		return d, nil
	case errors.Is(err, unix.ENOTDIR):
		return noDir, fmt.Errorf("open folder %q: it is a link or a file now: %w", path, ErrNotRegular)
	default:
		return noDir, fmt.Errorf("open folder %q: %w", path, err)
	}
}

// openParent opens the folder that rel lies in, beneath root, and returns it with
// the last component of rel.
func openParent(root, rel string) (dir, string, error) {
	rel, err := localPath(rel)
	if err != nil {
		return noDir, "", err
	}
	parent, name := filepath.Split(rel)
	d, err := openRoot(root)
	if err == nil {
		d, err = d.walk(parent, enter)
	}
	return d, name, err
}

// localPath cleans a path beneath a root. It refuses what could point outside, and
// the root itself.
func localPath(rel string) (string, error) {
	clean := filepath.Clean(rel)
	if rel == "" || clean == "." || !filepath.IsLocal(rel) || strings.ContainsRune(rel, 0) ||
		strings.Contains("/"+rel+"/", "/../") {
		return "", fmt.Errorf("path %q: %w", rel, fs.ErrInvalid)
	}
	return clean, nil
}

// open opens a regular file in d for reading. It looks at the name first, because
// even a non-blocking open may wake who writes to a FIFO, or rewind a tape; and
// again afterwards, because another file may have come to the name.
func (d dir) open(name string) (*os.File, unix.Stat_t, error) {
	path := filepath.Join(d.path, name)
	seen, err := d.stat(name)
	if err != nil {
		return nil, seen, fmt.Errorf("open %q: %w", path, err)
	}
	if !isRegular(&seen) {
		return nil, seen, fmt.Errorf("open %q: %w", path, ErrNotRegular)
	}
	fd, err := openat(d.fd, name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW, 0)
	if err == nil {
		var st unix.Stat_t
		if st, err = fstat(fd); err == nil && isRegular(&st) && identityOf(&st).sameInode(identityOf(&seen)) {
			return os.NewFile(uintptr(fd), path), st, nil
		}
		_ = unix.Close(fd)
		if err == nil {
			err = ErrChanged
		}
	}
	switch {
	case errors.Is(err, unix.EAGAIN):
		// Another process holds a write lease (a Samba oplock). The attempt has
		// told it to give the lease up.
		err = ErrBusy
	case errors.Is(err, unix.ELOOP):
		err = ErrNotRegular // a link by now
	}
	return nil, seen, fmt.Errorf("open %q: %w", path, err)
}
