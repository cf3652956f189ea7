package watcher

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inbox is the folder at the root. It is opened anew each round, because a
// folder that is kept open cannot be unmounted.
type inbox struct {
	path      string
	dir       *os.File  // nil: not opened in this round
	id        identity  // of the folder that was scanned last
	present   bool      // it was there at the last check
	missing   bool      // it was logged as missing
	nextCheck time.Time // when to check that it is still the same folder
}

// open returns the inbox, which is good until close.
func (in *inbox) open() (dir *os.File, err error) {
	if in.dir == nil {
		in.dir, err = os.OpenFile(in.path, unix.O_DIRECTORY, 0)
	}
	return in.dir, err
}

func (in *inbox) close() {
	if in.dir != nil {
		in.dir.Close()
		in.dir = nil
	}
}

// lstat is os.Lstat of a path in the inbox. It follows no link on the way.
func (in *inbox) lstat(rel string) (fs.FileInfo, error) {
	dir, err := in.open()
	if err != nil {
		return nil, err
	}
	return lstat(dir, rel)
}

// folder opens a folder in the inbox for reading; "" is the inbox itself.
func (in *inbox) folder(rel string) (*os.File, error) {
	dir, err := in.open()
	if err != nil {
		return nil, err
	}
	if rel == "" {
		rel = "."
	}
	return openBeneath(dir, rel, unix.O_RDONLY|unix.O_DIRECTORY)
}

func lstat(dir *os.File, rel string) (fs.FileInfo, error) {
	f, err := openBeneath(dir, rel, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// openBeneath opens rel one component at a time and follows no symbolic link,
// not even one that stays in the inbox: a file must not be seen at two paths.
func openBeneath(dir *os.File, rel string, flags int) (*os.File, error) {
	at := int(dir.Fd())
	names := strings.Split(rel, "/")
	for i, name := range names {
		how := unix.O_PATH | unix.O_DIRECTORY
		if i == len(names)-1 {
			how = flags
		}
		next, err := openat(at, name, how|unix.O_NOFOLLOW|unix.O_CLOEXEC)
		if i > 0 {
			unix.Close(at)
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: rel, Err: err}
		}
		at = next
	}
	return os.NewFile(uintptr(at), rel), nil
}

func openat(dir int, name string, flags int) (fd int, err error) {
	for {
		if fd, err = unix.Openat(dir, name, flags, 0); err != unix.EINTR {
			return fd, err
		}
	}
}

// isGone reports whether err means that a file or folder is not there any more,
// or that a link or a file has taken the place of a folder.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}
