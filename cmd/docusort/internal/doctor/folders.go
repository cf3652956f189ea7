package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"docusort/cmd/docusort/internal/settings"

	"golang.org/x/sys/unix"
)

// folder checks one folder that docusort works in. known means that documents were
// in it before, so that a missing one is more likely not mounted than new.
func (d Doctor) folder(name, setting, path string, known bool) Result {
	made := ""
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if known {
			return Wrong(name, "%s is missing, and documents were in it before: is its disk mounted? If it was moved, set %s to the new place, "+
				"and run '%s'", path, setting, d.Command("relocate"))
		}
		if !d.Fix {
			return d.missing(name, setting, path)
		}
		if err := makeFolder(path); err != nil {
			return Wrong(name, "%s cannot be made: %v", path, err)
		}
		made = ", made just now"
		info, err = os.Stat(path)
	}
	switch {
	case err != nil && d.foreign():
		return Wrong(name, "%v; run '%s' as root", err, d.Command("doctor"))
	case err != nil:
		return Wrong(name, "%v; let user %d search the folders above it, or set %s to another path", err, os.Geteuid(), setting)
	case !info.IsDir():
		return Wrong(name, "%s is not a folder: set %s to another path, or move what is there away", path, setting)
	}
	if err := accessible(path); err != nil && d.Fix && mend(path, info) == nil {
		made = ", its mode mended just now"
	}
	if d.foreign() {
		return OK(name, "%s", path)
	}
	if err := accessible(path); err != nil {
		return Wrong(name, "%s (owner %d, mode %04o) cannot be used by user %d: %v; give that user the right to read, write and search it",
			path, ownerOf(info), info.Mode().Perm(), os.Geteuid(), err)
	}
	return OK(name, "%s%s", path, made)
}

func (d Doctor) missing(name, setting, path string) Result {
	above, _, _ := Nearest(filepath.Dir(path), os.Stat)
	if err := accessible(above); err != nil {
		return Wrong(name, "%s is missing, and user %d cannot make it in %s: %v; make it by hand for the user that docusort runs as, or set %s to another path",
			path, os.Geteuid(), above, err, setting)
	}
	return OK(name, "%s is not there yet: it is made when docusort run first starts", path)
}

// Nearest returns what is at a path or, where nothing is, the nearest folder above it.
// stat is [os.Stat] or [os.Lstat].
func Nearest(path string, stat func(string) (fs.FileInfo, error)) (string, fs.FileInfo, error) {
	info, err := stat(path)
	for errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		info, err = stat(path)
	}
	return path, info, err
}

// makeFolder makes a folder and those above it.
func makeFolder(path string) error {
	above, info, err := Nearest(filepath.Dir(path), os.Stat)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 && ownerOf(info) == 0 && above != filepath.Dir(path) {
		return errors.New("root does not know for whom; make it for the user that docusort runs as, as with install -d -o docusort -g docusort")
	}
	return os.MkdirAll(path, settings.FolderMode)
}

func mend(path string, info fs.FileInfo) error {
	if ownerOf(info) != uint32(os.Geteuid()) {
		return fs.ErrPermission
	}
	return os.Chmod(path, info.Mode()&(fs.ModePerm|fs.ModeSetgid|fs.ModeSticky)|0o700)
}

// foreign reports whether another user than the one who runs this owns the database or,
// where there is none yet, the nearest folder above it: then what this one may do says
// nothing about the service, and is not to be widened.
func (d Doctor) foreign() bool {
	_, info, err := Nearest(d.Database, os.Stat)
	switch {
	case err != nil:
		return errors.Is(err, fs.ErrPermission)
	case info.IsDir() && ownerOf(info) == 0:
		return false // nobody's yet
	}
	return os.Geteuid() != 0 && ownerOf(info) != uint32(os.Geteuid())
}

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// accessible returns why a folder cannot be read, written and searched.
func accessible(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// typeFolders checks the folders of the types, which somebody else may have made.
func (d Doctor) typeFolders() (bad []Result) {
	entries, err := os.ReadDir(d.Sorted)
	if err != nil || d.foreign() {
		return nil // reported for the folder itself
	}
	var links, closed []string
	for _, e := range entries {
		path := filepath.Join(d.Sorted, e.Name())
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			links = append(links, path)
		case !e.IsDir() || accessible(path) == nil:
		default:
			info, err := e.Info()
			if err != nil || !d.Fix || mend(path, info) != nil || accessible(path) != nil {
				closed = append(closed, path)
			}
		}
	}
	if len(links) > 0 {
		bad = append(bad, Wrong("sorted", "%s: a link is not written through; put a real folder there", which(links)))
	}
	if len(closed) > 0 {
		bad = append(bad, Wrong("sorted", "%s cannot be written to by user %d; give that user the right to read, write and search it", which(closed), os.Geteuid()))
	}
	return bad
}

// which names the first of some paths, and says how many more there are.
func which(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more like it", paths[0], len(paths)-1)
}

// MountOf returns the number of the mount that a path is on; 0: not known.
func MountOf(path string) uint64 {
	var st unix.Statx_t
	_ = unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st)
	return st.Mnt_id
}
