package watcher

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// folders are those that have a watch. The kernel watches inodes, not paths,
// and fsnotify keeps the first path that it was told for an inode, so a folder
// that moved must lose its old watch before it gets a new one.
type folders struct {
	byPath map[string]folder
	byID   map[identity]string
}

type folder struct {
	id  identity
	gen uint64 // of the last full scan that met it
}

var errEnded = errors.New("inotify ended by itself")

// checkRoot sees whether the inbox is still the folder that is watched. Being
// unmounted or mounted over brings no event at all.
func (l *loop) checkRoot() {
	now := time.Now()
	info, err := os.Stat(l.cfg.Root)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "watch", Path: l.cfg.Root, Err: syscall.ENOTDIR}
	}
	if err != nil {
		l.nextRoot = now.Add(missingCheck)
		l.rootMissing(err)
		return
	}
	l.nextRoot = now.Add(rootCheck)
	if l.absent {
		l.absent = false
		l.log.Info("inbox is back", quoted(l.cfg.Root))
	}
	id := identityOf(info)
	_, armed := l.folders.byPath[""]
	deaf := armed && !l.n.watching(l.cfg.Root)
	if l.present && id == l.rootID && !deaf {
		return
	}
	l.present, l.rootID = true, id
	l.beginScan()
}

func (l *loop) rootMissing(err error) {
	if l.once {
		l.fatal = fmt.Errorf("inbox: %w", err)
		return
	}
	l.present = false
	l.scan.stop()
	l.forgetTree("")
	if !l.absent {
		l.absent = true
		l.log.Warn("inbox is missing; waiting for it", quoted(l.cfg.Root), "err", err)
	}
}

// openNotifier starts inotify where it is wanted and not there yet.
func (l *loop) openNotifier() {
	if l.n != nil || l.once || l.cfg.Mode == Poll {
		return
	}
	n, err := l.open()
	if err != nil {
		l.deny("", err)
		return
	}
	l.n, l.hints = n, pump(n, l.limits.hints)
}

func (l *loop) closeNotifier() {
	if l.n == nil {
		return
	}
	if err := l.n.close(); err != nil {
		l.log.Debug("closing inotify", "err", err)
	}
	<-l.hints.done
	l.n, l.hints, l.queue = nil, nil, taken{}
	l.folders = folders{}
}

// arm makes sure that the folder at dir, known to be id, is watched. Adding a
// watch again costs one system call and revives one that died unnoticed, so
// each full scan does it.
func (l *loop) arm(dir string, id identity) {
	l.noteFilesystem(dir, id)
	if l.n == nil || path.Base(dir) == "..." {
		return // fsnotify takes a folder named "..." for its parent
	}
	if old, ok := l.folders.byPath[dir]; ok && old.id != id {
		l.forgetTree(dir)
	}
	if other, ok := l.folders.byID[id]; ok && other != dir {
		l.forgetTree(other)
	}
	_, armed := l.folders.byPath[dir]
	if l.asked && !armed {
		return // refused once in this scan: do not ask for each folder
	}
	if err := l.n.add(l.abs(dir)); err != nil {
		l.forgetTree(dir)
		if !gone(err) && !errors.Is(err, syscall.EACCES) { // reading it will say so
			l.deny(dir, err)
		}
		return
	}
	if l.folders.byPath == nil {
		l.folders = folders{make(map[string]folder), make(map[identity]string)}
	}
	l.folders.byPath[dir] = folder{id, l.scan.gen}
	l.folders.byID[id] = dir
}

// deny goes on without a watch: scans are more frequent until all watches are
// granted.
func (l *loop) deny(dir string, err error) {
	l.asked = true
	if !l.denied {
		l.denied = true
		advice := "look at the limits in /proc/sys/fs/inotify"
		switch {
		case errors.Is(err, syscall.ENOSPC):
			advice = "raise the sysctl fs.inotify.max_user_watches"
		case errors.Is(err, syscall.EMFILE):
			advice = "raise the sysctl fs.inotify.max_user_instances or the limit on open files"
		}
		l.log.Warn("inotify refuses a watch; scanning instead", quoted(l.abs(dir)),
			"err", err, "do", advice, "every", l.interval())
	}
	if next := time.Now().Add(l.interval()); next.Before(l.nextScan) {
		l.nextScan = next
	}
}

// granted notices, after a full scan, that every watch was granted again.
func (l *loop) granted() {
	if l.denied && !l.asked {
		l.denied = false
		l.log.Info("inotify grants watches again", quoted(l.cfg.Root))
	}
}

// forgetTree gives up the watches of a folder and all below it.
func (l *loop) forgetTree(dir string) {
	if _, ok := l.folders.byPath[dir]; !ok && dir != "" {
		return // not watched, and looking for what is below would cost
	}
	for p := range l.folders.byPath {
		if dir == "" || p == dir || strings.HasPrefix(p, dir+"/") {
			l.forgetFolder(p)
		}
	}
}

// forgetFolder gives up the watch of one folder, if it has one.
func (l *loop) forgetFolder(dir string) {
	f, ok := l.folders.byPath[dir]
	if !ok {
		return
	}
	_ = l.n.remove(l.abs(dir)) // an error says that the kernel was faster
	delete(l.folders.byPath, dir)
	delete(l.folders.byID, f.id)
}

// sweepFolders gives up watches of folders that a full scan did not meet.
func (l *loop) sweepFolders() {
	for p, f := range l.folders.byPath {
		if f.gen != l.scan.gen {
			l.forgetFolder(p)
		}
	}
}

// abs is the path of a file or folder of the inbox as the system knows it, and
// as fsnotify names it in its events.
func (l *loop) abs(rel string) string {
	if rel == "" {
		return l.cfg.Root
	}
	return l.cfg.Root + "/" + rel
}
