package filing

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A sync of a filesystem waits for what other programs wrote too. One that took
// longSync is followed by a rest so many times as long, in which files and folders
// are synced one by one.
const (
	longSync = time.Second
	syncRest = 30
)

// restful says when all of a filesystem may be synced for the sake of a few files.
type restful struct {
	mu    sync.Mutex
	until time.Time
}

func (r *restful) may(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !now.Before(r.until)
}

func (r *restful) took(begun, ended time.Time) {
	if d := ended.Sub(begun); d >= longSync {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.until = ended.Add(syncRest * d)
	}
}

// syncWhole syncs all of the filesystem of a folder, which is that device. With an
// error, files and folders have to be synced one by one: it may be one of another
// file, or that this filesystem or kernel is not good for it.
func (m *Mover) syncWhole(d dir, device uint64) error {
	if !tellsOfErrors() || !syncsWhole(d.fd) {
		return errors.ErrUnsupported
	}
	begun := time.Now()
	err := m.step("sync filesystem", func() error { return d.syncFilesystem(device) })
	m.wholeSync.took(begun, time.Now())
	if err != nil {
		m.log.Debug("a filesystem could not be synced at once", "path", d.path, "err", err)
	}
	return err
}

// syncsWhole: a sync of this filesystem is known to be as good as one of every
// file and folder in it, and to cost no more than those of a few. FUSE may not pass
// it on; Btrfs and F2FS do much more for it than for a file.
func syncsWhole(fd int) bool {
	var st unix.Statfs_t
	if again(func() error { return unix.Fstatfs(fd, &st) }) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}

// tellsOfErrors: since Linux 5.17 a sync of a filesystem returns what became of
// its journal, since 5.8 what became of its files.
var tellsOfErrors = sync.OnceValue(func() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	return atLeast(unix.ByteSliceToString(name.Release[:]), 5, 17)
})

// atLeast compares a release such as "6.1.0-13-amd64".
func atLeast(release string, major, minor int) bool {
	parts := bytes.SplitN([]byte(release), []byte("."), 3)
	if len(parts) < 2 {
		return false
	}
	digits := func(b []byte) int {
		end := bytes.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' })
		if end >= 0 {
			b = b[:end]
		}
		n, _ := strconv.Atoi(string(b))
		return n
	}
	a, b := digits(parts[0]), digits(parts[1])
	return a > major || a == major && b >= minor
}
