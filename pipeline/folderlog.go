package pipeline

import (
	"log/slog"
	"path"
	"sync"
	"time"
)

// folderLog keeps the log short where a folder lets none of its documents go: the first is
// logged, then how many there are.
type folderLog struct {
	mu      sync.Mutex
	folders map[string]folderTrouble
}

type folderTrouble struct {
	documents int
	logged    int // of these
	last      time.Time
}

// first counts a document and reports whether it is the first of its folder.
func (l *folderLog) first(source string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.folders == nil {
		l.folders = make(map[string]folderTrouble)
	}
	dir := path.Dir(source)
	t := l.folders[dir]
	t.documents, t.last = t.documents+1, time.Now()
	t.logged = max(t.logged, 1)
	l.folders[dir] = t
	return t.documents == 1
}

// count logs how many documents there are by now, where that has doubled or is the same for
// a minute, and forgets folders that had no trouble for an hour.
func (l *folderLog) count(log *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for dir, t := range l.folders {
		quiet := time.Since(t.last)
		if t.documents >= 2*t.logged || t.documents > t.logged && quiet > time.Minute {
			log.Warn("documents wait in a folder that lets none go", "folder", dir, "documents", t.documents)
			t.logged = t.documents
			l.folders[dir] = t
		} else if quiet > time.Hour {
			delete(l.folders, dir)
		}
	}
}
