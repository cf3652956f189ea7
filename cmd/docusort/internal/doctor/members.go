package doctor

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MendMembers opens the folders that members of the group made in the inbox to the group,
// which only root can do for them. It leaves the inbox by no link, leaves what is mounted
// there alone, and changes no folder of another group than that of the inbox.
func (d Doctor) MendMembers() []Result {
	root, err := os.OpenRoot(d.Inbox)
	if err != nil {
		return nil // reported for the folder itself
	}
	defer root.Close()
	var inbox unix.Stat_t
	mended := 0
	err = fs.WalkDir(root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil
		}
		f, err := root.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if err != nil {
			return nil // gone
		}
		defer f.Close()
		var st unix.Stat_t
		switch err := unix.Fstat(int(f.Fd()), &st); {
		case err != nil:
			return err
		case path == ".":
			inbox = st
		case st.Dev != inbox.Dev:
			return fs.SkipDir
		case st.Gid == inbox.Gid && st.Uid != inbox.Uid && st.Mode&0o070 != 0o070:
			mended++
			return unix.Fchmod(int(f.Fd()), st.Mode&0o7777|0o070)
		}
		return nil
	})
	switch {
	case err != nil:
		return []Result{Wrong("inbox", "a folder in it cannot be opened to its group: %v", err)}
	case mended > 0:
		return []Result{OK("inbox", "%d folders in it, made by members of the group, were opened to the group just now", mended)}
	}
	return nil
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
