package watcher

import (
	"errors"
	"log/slog"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

const eventBuffer = 1024 // events that wait beside those in the kernel's queue

// notifier is inotify, or a fake in tests. Both channels are closed when it ends.
type notifier struct {
	folders interface {
		Add(folder string) error // watching a folder twice is no error
		Remove(folder string) error
		WatchList() []string
		Close() error
	}
	events <-chan fsnotify.Event
	errors <-chan error
}

func openInotify() (notifier, error) {
	w, err := fsnotify.NewBufferedWatcher(eventBuffer)
	if err != nil {
		return notifier{}, err
	}
	return notifier{w, w.Events, w.Errors}, nil
}

// watches are the folders that inotify watches. The kernel watches inodes, not
// paths, and fsnotify keeps the first path that it was told for an inode, so a
// folder that moved must lose its old watch before it gets a new one.
type watches struct {
	log      *logOnce
	open     func() (notifier, error) // nil: without inotify
	notifier                          // the zero value: none
	byPath   map[string]watch
	byID     map[identity]string
	refused  bool // a watch was refused in this scan
	degraded bool // a watch was refused, and not every one has been granted since
}

type watch struct {
	id   identity
	scan uint64 // the full scan that met it last
}

// begin prepares for a full scan, which asks for every watch anew.
func (w *watches) begin() {
	w.refused = false
	if w.folders != nil || w.open == nil {
		return
	}
	n, err := w.open()
	if err != nil {
		w.watchFailed("", err)
		return
	}
	w.notifier, w.byPath, w.byID = n, make(map[string]watch), make(map[identity]string)
}

// end draws the conclusions of a full scan: folders that it did not meet lose
// their watch.
func (w *watches) end() {
	w.forget(func(_ string, f watch) bool { return f.scan != w.log.scan })
	if w.degraded && !w.refused {
		w.degraded = false
		w.log.Info("inotify grants watches again", w.log.at(""))
	}
}

func (w *watches) close() {
	if w.folders != nil {
		_ = w.folders.Close()
	}
	w.notifier, w.byPath, w.byID = notifier{}, nil, nil
}

// watch makes sure that the folder at dir, known to be id, is watched. Adding a
// watch again costs one system call and revives one that died unnoticed, so
// each full scan does it.
func (w *watches) watch(dir string, id identity) {
	if w.folders == nil || path.Base(dir) == "..." {
		return // fsnotify takes a folder named "..." for its parent
	}
	if old, ok := w.byPath[dir]; ok && old.id != id {
		w.forgetTree(dir)
	}
	if other, ok := w.byID[id]; ok && other != dir {
		w.forgetTree(other)
	}
	if _, ok := w.byPath[dir]; w.refused && !ok {
		return // refused once in this scan: do not ask for each folder
	}
	if err := w.folders.Add(w.log.abs(dir)); err != nil {
		w.forgetTree(dir)
		switch {
		case isGone(err), errors.Is(err, syscall.EACCES): // reading it will report that
		case errors.Is(err, syscall.ENAMETOOLONG):
			top, _, _ := strings.Cut(dir, "/")
			w.log.path(slog.LevelWarn, "a path in it is too long for inotify; scanning that", top)
		default:
			w.watchFailed(dir, err)
		}
		return
	}
	w.byPath[dir], w.byID[id] = watch{id, w.log.scan}, dir
}

// watchFailed goes on without a watch: scans are more frequent until all watches
// are granted.
func (w *watches) watchFailed(dir string, err error) {
	w.refused = true
	if w.degraded {
		return
	}
	w.degraded = true
	advice := "look at the limits in /proc/sys/fs/inotify"
	switch {
	case errors.Is(err, syscall.ENOSPC):
		advice = "raise the sysctl fs.inotify.max_user_watches"
	case errors.Is(err, syscall.EMFILE):
		advice = "raise the sysctl fs.inotify.max_user_instances or the limit on open files"
	}
	w.log.Warn("inotify refuses a watch; scanning instead", w.log.at(dir), "err", err, "do", advice)
}

// died reports whether the inbox should have a watch and has none: it may have
// been unmounted and mounted again.
func (w *watches) died() bool {
	_, watched := w.byPath[""]
	return watched && !slices.Contains(w.folders.WatchList(), w.log.root)
}

// forgetTree gives up the watches of a folder and all below it.
func (w *watches) forgetTree(dir string) {
	if _, ok := w.byPath[dir]; !ok && dir != "" {
		return // not watched, and looking for what is below would cost
	}
	w.forget(func(p string, _ watch) bool { return dir == "" || p == dir || strings.HasPrefix(p, dir+"/") })
}

// forget gives up the watches for which the function returns true.
func (w *watches) forget(which func(dir string, f watch) bool) {
	for dir, f := range w.byPath {
		if which(dir, f) {
			_ = w.folders.Remove(w.log.abs(dir)) // an error means that the kernel was faster
			delete(w.byPath, dir)
			delete(w.byID, f.id)
		}
	}
}
