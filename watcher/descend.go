package watcher

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// descend opens a folder beneath another, a step at a time: each name is looked at
// once, and what is no folder, or a link to one, ends it.
func descend(at *os.Root, rel string) (*os.Root, error) {
	folder := at
	for name := range strings.SplitSeq(rel, "/") {
		next, err := step(folder, name)
		if folder != at {
			folder.Close()
		}
		if err != nil {
			return nil, err
		}
		folder = next
	}
	return folder, nil
}

// step opens a folder in another. OpenRoot alone would follow a link.
func step(at *os.Root, name string) (*os.Root, error) {
	info, err := at.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: syscall.ENOTDIR}
	}
	next, err := at.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	now, err := next.Stat(".")
	if err == nil && !os.SameFile(info, now) {
		err = &fs.PathError{Op: "open", Path: name, Err: errReplaced}
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// parent is the folder that a folder is in; "" is the inbox.
func parent(dir string) string {
	above, _ := path.Split(dir)
	return strings.TrimSuffix(above, "/")
}

// openAbove opens the folder that a folder of the inbox is in, and keeps it for
// the next ones: folders are mostly entered from the same one, or from the last
// one, and the way down to it would be gone again for each.
func (l *loop) openAbove(dir string) (*os.Root, error) {
	root, err := l.inbox()
	above := parent(dir)
	if err != nil || above == "" {
		return root, err
	}
	s := &l.scan
	if s.above != nil && s.aboveOf == above {
		return s.above, nil
	}
	s.closeAbove()
	folder, err := descend(root, above)
	if err != nil {
		return nil, err
	}
	s.above, s.aboveOf = folder, above
	return folder, nil
}

func (s *scan) closeAbove() {
	if s.above != nil {
		s.above.Close()
	}
	s.above, s.aboveOf = nil, ""
}

// closeFolder ends the reading of the present folder. It is kept open where the
// next one is in it.
func (s *scan) closeFolder() {
	if n := len(s.todo); s.file != nil && n > 0 && s.dir != "" && parent(s.todo[n-1]) == s.dir {
		s.closeAbove()
		s.above, s.aboveOf, s.sub = s.sub, s.dir, nil
	}
	s.dropFolder()
}

// dropFolder closes the present folder.
func (s *scan) dropFolder() {
	if s.file != nil {
		s.file.Close()
	}
	if s.sub != nil {
		s.sub.Close()
	}
	s.file, s.sub, s.batch, s.noRoom = nil, nil, nil, false
}
