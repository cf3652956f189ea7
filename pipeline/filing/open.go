package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// dir is an open folder. Names are resolved against its descriptor, so that
// nobody can swap a component above for a link between two steps.
type dir struct {
	fd   int
	path string // for messages only
}

func (d dir) close() {
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
	}
}

// noDir stands for a folder that is not there.
var noDir = dir{fd: -1}

// stat looks at a name in the folder without following a link.
func (d dir) stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	if d.fd == noDir.fd {
		return st, unix.ENOENT
	}
	err := again(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, err
}

// again repeats what a signal interrupted: network and FUSE filesystems
// return EINTR where local ones do not.
func again(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openRoot opens the folder that everything else is beneath. Links in its own
// path are the administrator's choice and are followed.
func openRoot(root string) (dir, error) {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	switch {
	case err == nil:
		return dir{fd, filepath.Clean(root)}, nil
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		// %v: this must not read as "the document is gone".
		return noDir, fmt.Errorf("open folder %q: %w (%v)", root, ErrNoRoot, err)
	}
	return noDir, fmt.Errorf("open folder %q: %w", root, err)
}

// noOpenat2 remembers that the kernel or a seccomp filter lacks openat2.
var noOpenat2 atomic.Bool

// beneath opens rel, with O_PATH, beneath d. No component may be a link; the
// last one may, and is then opened itself.
func (d dir) beneath(rel string, flags int) (int, error) {
	flags |= unix.O_PATH | unix.O_CLOEXEC
	if flags&unix.O_DIRECTORY == 0 {
		// Left out for a folder, where it would turn ELOOP into ENOTDIR.
		flags |= unix.O_NOFOLLOW
	}
	if !noOpenat2.Load() {
		fd := -1
		err := again(func() (err error) {
			fd, err = unix.Openat2(d.fd, rel, &unix.OpenHow{
				Flags:   uint64(flags),
				Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
			})
			return err
		})
		if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
			return fd, err
		}
		// EPERM comes from seccomp filters that do not know the call; an
		// O_PATH open has no other reason to return it.
		noOpenat2.Store(true)
	}
	return d.stepwise(rel, flags)
}

// stepwise is beneath for kernels without openat2: a component at a time.
func (d dir) stepwise(rel string, flags int) (int, error) {
	at := d.fd
	parts := strings.Split(rel, "/")
	for i, part := range parts {
		f := unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_DIRECTORY
		if i == len(parts)-1 {
			f = flags | unix.O_NOFOLLOW
		}
		next := -1
		err := again(func() (err error) {
			next, err = unix.Openat(at, part, f, 0)
			return err
		})
		if errors.Is(err, unix.ENOTDIR) {
			// A link refused by O_DIRECTORY; say so as openat2 would.
			var st unix.Stat_t
			if unix.Fstatat(at, part, &st, unix.AT_SYMLINK_NOFOLLOW) == nil &&
				st.Mode&unix.S_IFMT == unix.S_IFLNK {
				err = unix.ELOOP
			}
		}
		if at != d.fd {
			_ = unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at = next
	}
	return at, nil
}

// localPath refuses what could point outside: absolute paths, "..", and the
// root itself.
func localPath(rel string) (string, error) {
	if rel == "" || strings.HasPrefix(rel, "/") || strings.ContainsRune(rel, 0) {
		return "", fmt.Errorf("path %q: %w", rel, fs.ErrInvalid)
	}
	for part := range strings.SplitSeq(rel, "/") {
		if part == ".." {
			return "", fmt.Errorf("path %q: %w", rel, fs.ErrInvalid)
		}
	}
	if rel = filepath.Clean(rel); rel == "." {
		return "", fmt.Errorf("path %q: %w", rel, fs.ErrInvalid)
	}
	return rel, nil
}

// openParent opens the folder that rel lies in, beneath root, and returns it
// with the last component of rel.
func openParent(root, rel string) (dir, string, error) {
	rel, err := localPath(rel)
	if err != nil {
		return noDir, "", err
	}
	top, err := openRoot(root)
	if err != nil {
		return noDir, "", err
	}
	parent, name := filepath.Split(rel)
	if parent == "" {
		return top, name, nil
	}
	defer top.close()
	d, err := top.folderBeneath(strings.TrimSuffix(parent, "/"))
	return d, name, err
}

// folderBeneath opens a folder beneath d.
func (d dir) folderBeneath(rel string) (dir, error) {
	path := filepath.Join(d.path, rel)
	fd, err := d.beneath(rel, unix.O_DIRECTORY)
	if err != nil {
		return noDir, fmt.Errorf("open folder %q: %w", path, componentError(err))
	}
	return dir{fd, path}, nil
}

// componentError says what a failed resolution means for the file at its end.
func componentError(err error) error {
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.EXDEV):
		return fmt.Errorf("%w: reached through a symbolic link", ErrNotRegular)
	case errors.Is(err, unix.ENOTDIR):
		// What was a folder is a file now: what was in it is gone.
		return fmt.Errorf("%w (a folder on the way is a file)", fs.ErrNotExist)
	}
	return err
}

// openIn opens the regular file of that name in d for reading.
func (d dir) openIn(name string) (file, unix.Stat_t, error) {
	st, err := d.stat(name)
	if err != nil {
		return noFile, st, fmt.Errorf("open %q: %w", filepath.Join(d.path, name), err)
	}
	return d.openSeen(name, isRegular(&st), identityOf(&st))
}

// openSeen opens for reading what was just seen at a name in d. It was looked at
// before because even an open that does not block may wake who writes to a FIFO, or
// rewind a tape; it is looked at again because another may have come to the name.
func (d dir) openSeen(name string, regular bool, id Identity) (f file, st unix.Stat_t, err error) {
	f = noFile
	if !regular {
		err = ErrNotRegular
	} else {
		err = again(func() (err error) {
			f.fd, err = unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			return err
		})
	}
	if err == nil {
		if st, err = f.stat(); err == nil && !(isRegular(&st) && identityOf(&st).sameInode(id)) {
			err = ErrChanged
		}
		if err == nil {
			return f, st, nil
		}
		f.close()
	}
	switch {
	case errors.Is(err, unix.EAGAIN):
		// Someone holds a write lease (Samba's oplocks); asking has told
		// them to give it up.
		err = ErrBusy
	case errors.Is(err, unix.ELOOP):
		err = ErrNotRegular // a link by now
	}
	return noFile, st, fmt.Errorf("open %q: %w", filepath.Join(d.path, name), err)
}
