package watcher

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// inbox returns the open inbox. It is opened anew each turn, because a folder
// that is kept open cannot be unmounted.
func (l *loop) inbox() (*os.Root, error) {
	if l.root == nil {
		root, err := os.OpenRoot(l.cfg.Root)
		if err != nil {
			return nil, err
		}
		l.root = root
	}
	return l.root, nil
}

func (l *loop) release() {
	if l.root != nil {
		l.root.Close()
		l.root = nil
	}
}

// lstat follows no symbolic link, not even one between folders of the inbox.
func (l *loop) lstat(rel string) (fs.FileInfo, error) {
	root, err := l.inbox()
	if err != nil {
		return nil, err
	}
	above, name := path.Split(rel)
	if above == "" {
		return root.Lstat(name)
	}
	folder, err := descend(root, strings.TrimSuffix(above, "/"))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Lstat(name)
}

// gone reports whether err means that a file or folder is not there any more.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func (l *loop) ignored(rel string) bool { return Matches(l.cfg.Ignore, path.Base(rel)) }
