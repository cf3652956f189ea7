package doctor

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// inotify checks whether the kernel lets every folder of the inbox be watched.
func (d Doctor) inotify(folders int) Result {
	if d.Watch == "poll" {
		return OK("inotify", "not used: the inbox is polled")
	}
	dir := d.inotifyLimits
	if dir == "" {
		dir = "/proc/sys/fs/inotify"
	}
	text, err := os.ReadFile(filepath.Join(dir, "max_user_watches"))
	limit, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err = cmp.Or(err, bad); err != nil {
		return Wrong("inotify", "the kernel's limit is not known: %v; set DOCUSORT_WATCH=poll where there is no inotify", err)
	}
	if !d.Recursive {
		folders = 1
	}
	if 10*folders > 9*limit {
		return Wrong("inotify", "the inbox has %d folders and the kernel lets %d be watched, by all programs of the user: raise the sysctl fs.inotify.max_user_watches, or set DOCUSORT_WATCH=poll", folders, limit)
	}
	if err := tryWatch(d.Inbox); err != nil {
		return Wrong("inotify", "a watch is refused (%v): raise the sysctls fs.inotify.max_user_instances and max_user_watches, or set DOCUSORT_WATCH=poll", err)
	}
	return OK("inotify", "%d of at most %d folders to watch", folders, limit)
}

func tryWatch(path string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.InotifyAddWatch(fd, path, unix.IN_CREATE)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOTDIR) {
		return nil // reported for the folder itself
	}
	return err
}
