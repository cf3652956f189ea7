package watcher

import (
	"cmp"
	"slices"
	"time"
)

const (
	leftAfter = time.Minute      // since it was first seen, a file that waits is listed
	leftEvery = 10 * time.Second // between two lists
	maxLeft   = 1000             // files in a list
)

// Reason says why a file is not taken.
type Reason string

const (
	BeingWritten Reason = "being written"
	CutShort     Reason = "cut short"
	Empty        Reason = "empty"
	TooMany      Reason = "too many"
)

// Left is a file that was seen and has not been sent.
type Left struct {
	Path   string // relative to Root
	Reason Reason
	Since  time.Time // when it was first seen
}

// reason says why c waits.
func (c *candidate) reason() Reason {
	switch {
	case c.pause == 0, c.found == Writing:
		return BeingWritten
	case c.state.size == 0:
		return Empty
	}
	return CutShort
}

// NotTaken returns up to 1,000 files that were first seen more than a minute ago and have
// not settled since, those waiting longest first. No owner has all of the places where
// there are several. The list is made about every ten seconds; it never blocks.
func (w *Watcher) NotTaken() []Left {
	if left := w.left.Load(); left != nil {
		return *left
	}
	return nil
}

// listLeft makes the list anew when it is due.
func (l *loop) listLeft(now time.Time) {
	if !now.Before(l.nextLeft) {
		left := l.files.notTaken(now)
		l.left.Store(&left)
		l.nextLeft = now.Add(leftEvery)
	}
}

// notTaken makes the list.
func (s *settler) notTaken(now time.Time) []Left {
	byOwner := make(map[uint32][]Left)
	add := func(owner uint32, l Left) {
		if now.Sub(l.Since) > leftAfter {
			byOwner[owner] = append(byOwner[owner], l)
		}
	}
	for owner, q := range s.candidates.waiting {
		for _, c := range q.all {
			add(owner, Left{c.path, c.reason(), c.first})
		}
	}
	for path, o := range s.crowd.files {
		add(o.owner, Left{path, TooMany, o.first})
	}
	older := func(a, b Left) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Path, b.Path)) }
	var all []Left
	for _, left := range byOwner {
		slices.SortFunc(left, older)
		all = append(all, left[:min(len(left), max(1, maxLeft/len(byOwner)))]...)
	}
	slices.SortFunc(all, older)
	return all[:min(len(all), maxLeft)]
}
