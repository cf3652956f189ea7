package watcher

import "time"

// sending is what is remembered of a file that was sent.
type sending struct {
	shape shape
	since time.Time // it has stood still since then
	at    time.Time // it was received
}

// recent remembers the last files sent, at most max. Nothing depends on it but
// economy: a file is not sent twice before Known can know it, and one that has
// to be sent again does not have to settle again.
type recent struct {
	max    int
	byPath map[string]sending
	ring   []string
	next   int
}

func (r *recent) add(path string, s sending) {
	if r.byPath == nil {
		r.byPath = make(map[string]sending)
	}
	if _, ok := r.byPath[path]; !ok {
		if len(r.ring) < r.max {
			r.ring = append(r.ring, path)
		} else {
			delete(r.byPath, r.ring[r.next])
			r.ring[r.next] = path
			r.next = (r.next + 1) % r.max
		}
	}
	r.byPath[path] = s
}

// get returns the sending of path if it was sent in exactly this shape.
func (r *recent) get(path string, s shape) (sending, bool) {
	before, ok := r.byPath[path]
	return before, ok && before.shape == s
}
