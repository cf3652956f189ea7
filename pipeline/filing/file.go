package filing

import (
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// file is an open regular file: a descriptor without what package os has for
// files that can be waited for.
type file struct{ fd int }

// noFile stands for one that is not open.
var noFile = file{-1}

func (f file) close() {
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
	}
}

func (f file) sync() error { return again(func() error { return unix.Fsync(f.fd) }) }

// ReadAt implements io.ReaderAt.
func (f file) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		got := 0
		err := again(func() (err error) {
			got, err = unix.Pread(f.fd, b[n:], off+int64(n))
			return err
		})
		if err != nil {
			return n, err
		}
		if got == 0 {
			return n, io.EOF
		}
		n += got
	}
	return n, nil
}

// lazily is a yes or no that is found out once.
type lazily struct{ known atomic.Int32 }

func (l *lazily) or(find func() bool) bool {
	const no, yes = 1, 2
	switch l.known.Load() {
	case no:
		return false
	case yes:
		return true
	}
	if find() {
		l.known.Store(yes)
		return true
	}
	l.known.Store(no)
	return false
}

// stat looks at the open file.
func (f file) stat() (unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Fstat(f.fd, &st)
	return st, err
}
