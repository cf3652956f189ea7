package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"docusort/store"

	"golang.org/x/sys/unix"
)

// space is the room on a filesystem.
type space struct {
	free, inodes uint64 // for us; bytes, and files
	countsInodes bool
	readOnly     bool
}

func spaceAt(path string) (space, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return space{}, err
	}
	return space{
		free: st.Bavail * uint64(st.Bsize), inodes: st.Ffree, countsInodes: st.Files > 0,
		readOnly: st.Flags&unix.ST_RDONLY != 0,
	}, nil
}

// What is too little: a single document may have 100 MB.
const (
	leastBytes  = 200 << 20
	leastInodes = 1000
)

// room looks at the disks, each once.
func (d Doctor) room() []Result {
	var results []Result
	seen := map[mount]bool{}
	for _, at := range []struct{ what, path string }{
		{"the record", filepath.Dir(d.Database)}, {"sorted", d.Sorted}, {"the inbox", d.Inbox},
	} {
		m, ok := mountOf(at.path)
		if !ok || seen[m] {
			continue
		}
		seen[m] = true
		s, err := d.space(at.path)
		switch {
		case err != nil:
			results = append(results, wrong("space", "%s: the room on the disk of %s cannot be seen: %v", at.path, at.what, err))
		case s.readOnly:
			results = append(results, wrong("space", "%s is mounted read-only: mount it read-write", at.path))
		case s.free < leastBytes:
			results = append(results, wrong("space", "%s has %s free only: make room, documents wait when it is full", at.path, amount(s.free)))
		case s.countsInodes && s.inodes < leastInodes:
			results = append(results, wrong("space", "%s has room for %d more files only: remove some, documents wait when it is full", at.path, s.inodes))
		default:
			results = append(results, good("space", "%s has %s free", at.path, amount(s.free)))
		}
	}
	return results
}

func amount(n uint64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB", "PB", "EB"}
	f, i := float64(n), 0
	for ; f >= 1000 && i < len(units)-1; i++ {
		f /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// watches looks whether the kernel lets every folder of the inbox be watched.
func (d Doctor) watches() []Result {
	if !d.Inotify {
		return []Result{good("inotify", "not used: the inbox is polled")}
	}
	most, err := d.limit("max_user_watches")
	if err != nil {
		return []Result{wrong("inotify", "%v; set DOCUSORT_WATCH=poll where there is no inotify", err)}
	}
	folders := d.countFolders()
	if folders > most {
		return []Result{wrong("inotify", "the inbox has %d folders and the kernel lets %d be watched: raise the sysctl fs.inotify.max_user_watches, or set DOCUSORT_WATCH=poll", folders, most)}
	}
	if err := tryWatch(d.Inbox); err != nil {
		return []Result{wrong("inotify", "a watch is refused (%v): raise the sysctls fs.inotify.max_user_instances and max_user_watches, or set DOCUSORT_WATCH=poll", err)}
	}
	return []Result{good("inotify", "%d of at most %d folders to watch", folders, most)}
}

func (d Doctor) limit(name string) (int, error) {
	b, err := os.ReadFile(filepath.Join(d.limits, name))
	if err != nil {
		return 0, fmt.Errorf("the kernel's limit is not known: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// countFolders counts the folders of the inbox.
func (d Doctor) countFolders() int {
	n := 0
	_ = filepath.WalkDir(d.Inbox, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil // what cannot be read cannot be watched either
		}
		n++
		if !d.Recursive && path != d.Inbox {
			n--
			return fs.SkipDir
		}
		return nil
	})
	return n
}

// tryWatch watches a folder for a moment.
func tryWatch(path string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.InotifyAddWatch(fd, path, unix.IN_CREATE)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOTDIR) {
		return nil // said of the folder itself
	}
	return err
}

// record looks at the database, from end to end.
func (d Doctor) record(ctx context.Context) Result {
	r, err := store.OpenReader(ctx, d.Database)
	switch {
	case errors.Is(err, store.ErrNoDatabase):
		return good("database", "%s is not there yet: it is made when docusort run first starts", d.Database)
	case err != nil:
		return wrong("database", "%v", err)
	}
	defer r.Close()
	if err := r.Check(ctx); err != nil {
		return wrong("database", "%v", err)
	}
	for _, path := range []string{d.Database, d.Database + "-wal", d.Database + "-shm", d.Database + "-lock"} {
		err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return wrong("database", "%s cannot be written to by user %d: %v; give it to the user that docusort runs as", path, os.Geteuid(), err)
		}
	}
	daemon, err := r.Daemon(ctx)
	switch {
	case err != nil:
		return wrong("database", "%v", err)
	case daemon.Running && daemon.Hold != nil:
		return good("database", "%s is whole; the daemon runs, and waits: %s", d.Database, daemon.Hold.Reason)
	case daemon.Running:
		return good("database", "%s is whole; the daemon runs", d.Database)
	}
	return good("database", "%s is whole; no daemon runs", d.Database)
}
