package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"docusort/pipeline/filing"
	"docusort/store"
)

// folderAt returns the folder that stands at a path.
func folderAt(path string) (store.Folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return store.Folder{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return store.Folder{}, fmt.Errorf("%s is not a folder", path)
	}
	return store.Folder{Path: path, Device: uint64(st.Dev), Inode: st.Ino}, nil
}

// isMountPoint reports whether another filesystem is mounted at a folder.
func isMountPoint(folder string) bool {
	is, err := folderAt(folder)
	above, err2 := folderAt(folder + "/..")
	return err == nil && err2 == nil && is.Device != above.Device
}

// A file may be missing because its folder is.
var (
	errInboxAway  = errors.New("the inbox is not the folder that the document was in; is it mounted? If it was moved, run docusort relocate")
	errFolderAway = errors.New("its folder in the inbox is not the one that the document was in; is it mounted?")
)

// isGone reports whether a document's file was removed, or lies in an inbox that is no
// longer configured: what is paid for is found again by its content. It returns an error where the
// inbox is missing, or is not the folder that the document was in, as when a filesystem
// is not mounted. An inbox counts as the same where either its device or its inode is:
// it may have been made again, and device numbers change with a restart of the machine.
// So what counts of a folder in it is whether it is on the inbox's own device, as then.
func (p *Pipeline) isGone(doc *store.Document) (bool, error) {
	_, err := filing.Stat(placeOf(p.Inbox, doc))
	switch {
	case err == nil:
		return false, nil
	case doc.StaysAt != "" && errors.Is(err, fs.ErrNotExist):
		return true, nil
	case errors.Is(err, filing.ErrNotRegular):
		return true, nil // something else has its name now
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	now, err := folderAt(p.Inbox)
	if err != nil {
		return false, err
	}
	then := doc.Inbox
	if now.Path != then.Path {
		return true, nil // the settings name another inbox, and it did not come along
	}
	if now.Inode != then.Inode && now.Device != then.Device {
		p.missed(then)
		return false, errInboxAway
	}
	if wasMounted := doc.Identity.Device != then.Device; wasMounted != p.isMounted(doc.Source, now.Device) {
		return false, errFolderAway
	}
	return true, nil
}

// whyGone says why a document is gone that is missing before a step.
func (p *Pipeline) whyGone(doc *store.Document, step string) string {
	if doc.StaysAt != "" {
		return "its file was taken away"
	}
	if doc.Inbox.Path != p.Inbox {
		return "left in an inbox that was no longer configured when it was to be " + step
	}
	return "removed from the inbox before it was " + step
}

// isMounted reports whether the nearest folder above a place in the inbox that exists is on
// another device than the inbox.
func (p *Pipeline) isMounted(source string, inbox uint64) bool {
	for dir := path.Dir(source); dir != "."; dir = path.Dir(dir) {
		if folder, err := folderAt(filepath.Join(p.Inbox, dir)); err == nil {
			return folder.Device != inbox
		}
	}
	return false
}
