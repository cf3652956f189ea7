package pipeline

import (
	"maps"
	"path"
	"sync"
	"time"
)

// folderLog keeps the log short where a folder lets none of its documents go: the first
// of them is logged, and again the first after an hour without any.
type folderLog struct {
	mu   sync.Mutex
	last map[string]time.Time // that a folder had trouble
}

// first notes the trouble of a document and reports whether it is the first of its folder.
func (l *folderLog) first(source string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = make(map[string]time.Time)
	}
	maps.DeleteFunc(l.last, func(_ string, at time.Time) bool { return time.Since(at) > time.Hour })
	dir := path.Dir(source)
	_, known := l.last[dir]
	l.last[dir] = time.Now()
	return !known
}
