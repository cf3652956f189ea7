package doctor

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MendMembers opens the folders that members of the group made in the inbox to the group,
// which only root can do for them. It follows no link, leaves what is mounted there alone,
// and changes no folder of another group than that of the inbox.
func (d Doctor) MendMembers() []Result {
	root, err := unix.Open(d.Inbox, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // reported for the folder itself
	}
	defer unix.Close(root)
	var inbox unix.Stat_t
	if err := unix.Fstat(root, &inbox); err != nil {
		return nil
	}
	mended := 0
	err = eachFolder(root, func(fd int) error {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Dev != inbox.Dev {
			return fs.SkipDir
		}
		if st.Gid != inbox.Gid || st.Uid == inbox.Uid || st.Mode&0o070 == 0o070 {
			return nil
		}
		mended++
		return unix.Fchmod(fd, st.Mode&0o7777|0o070)
	})
	switch {
	case err != nil:
		return []Result{Wrong("inbox", "a folder in it cannot be opened to its group: %v", err)}
	case mended > 0:
		return []Result{OK("inbox", "%d folders in it, made by members of the group, were opened to the group just now", mended)}
	}
	return nil
}

// eachFolder calls f for every folder beneath an open one, each opened by its name in the
// one above it, so that whoever renames folders meanwhile leads nowhere else.
func eachFolder(above int, f func(fd int) error) error {
	names, err := namesIn(above)
	if err != nil {
		return err
	}
	for _, name := range names {
		fd, err := unix.Openat(above, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // no folder, or gone
		}
		if err = f(fd); err == nil {
			err = eachFolder(fd, f)
		}
		unix.Close(fd)
		if err != nil && err != fs.SkipDir {
			return err
		}
	}
	return nil
}

func namesIn(folder int) ([]string, error) {
	fd, err := unix.Openat(folder, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "folder")
	defer f.Close()
	return f.Readdirnames(-1)
}

// inboxFolders is what a walk through the inbox found.
type inboxFolders struct {
	folders int
	largest int64    // bytes of the largest file
	closed  []string // folders that this user cannot take files out of
}

func (d Doctor) walkInbox() (w inboxFolders) {
	_ = filepath.WalkDir(d.Inbox, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
		case e.IsDir():
			w.folders++
			if path != d.Inbox && !d.Recursive {
				return fs.SkipDir
			}
			if path != d.Inbox && accessible(path) != nil {
				w.closed = append(w.closed, path)
				return fs.SkipDir
			}
		case e.Type().IsRegular():
			if info, err := e.Info(); err == nil {
				w.largest = max(w.largest, info.Size())
			}
		}
		return nil
	})
	return w
}

// members checks whether documents can be taken out of the folders in the inbox.
func (d Doctor) members(w inboxFolders) []Result {
	if len(w.closed) == 0 || d.foreign() || !d.Recursive {
		return nil
	}
	return []Result{Wrong("inbox", "documents cannot be taken out of %s: whoever made the folder gave its group no right to write; "+
		"chmod g+w on it helps, and '%s' as root does that for all", which(w.closed), d.Command("doctor --fix"))}
}
