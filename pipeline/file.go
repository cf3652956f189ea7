package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// fileBatch is how many documents are moved together: the folders they share are
// synced once, and their records committed once.
const fileBatch = 256

// fileAll moves every document whose outcome is decided. It returns when the
// work is to stop and the moves under way have ended.
func (p *Pipeline) fileAll(l lifetimes) error {
	f := filer{p: p, later: make(map[int64]pause)}
	for {
		again, err := f.round(l)
		if err != nil {
			return err
		}
		if err := f.rest(l.work, again); err != nil {
			return err
		}
	}
}

// rest returns when there may be something to move.
func (f *filer) rest(ctx context.Context, again time.Time) error {
	due := at(again)
	for {
		select {
		case <-f.p.fileWake:
			return nil
		case <-due:
			return nil
		case <-f.p.moveNow:
			f.endPauses()
			return nil
		case <-f.p.pulses.file:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endPauses lets everything be tried again at once. How often it was tried is
// kept, so that the next pause is no shorter.
func (f *filer) endPauses() {
	f.disk.until = time.Time{}
	for id, w := range f.later {
		w.until = time.Time{}
		f.later[id] = w
	}
}

// durable is that of the pipeline, and answers meanwhile: a disk that is waited
// for is no standstill.
func (f *filer) durable(ctx context.Context, transition func(context.Context) error) error {
	return f.p.outlast(ctx, database, f.p.pulses.file, transition)
}

// filer moves documents. It is used by one goroutine.
type filer struct {
	p     *Pipeline
	later map[int64]pause // documents that could not be moved
	disk  pause           // all of them could not
	moved int             // documents that were moved, ever
	tried trial           // whether anything can be put into sorted
}

// pause is trouble that is waited out.
type pause struct {
	tries  int
	until  time.Time
	reason string
	aside  bool // the document is to be moved to those that failed
	// suspect is how many documents had been moved, and one, when this one first
	// met trouble of the disk; 0: it never did.
	suspect int
}

// longer begins the next, longer pause.
func (w pause) longer(reason string, limit time.Duration) pause {
	w.tries++
	w.reason = reason
	w.until = time.Now().Add(backoff(w.tries, firstPause, limit, 0))
	return w
}

// round moves what can be moved, and returns when there will be more to try;
// zero: when it is woken.
func (f *filer) round(l lifetimes) (again time.Time, err error) {
	begun := time.Now()
	f.countAside(begun)
	for after := int64(0); l.work.Err() == nil; {
		if f.diskTroubled() {
			return f.disk.until, nil
		}
		docs, err := asked(l.work, f.p, f.p.pulses.file, func(ctx context.Context) ([]store.Document, error) {
			return f.p.Store.Movable(ctx, after, fileBatch)
		})
		if err != nil {
			if l.work.Err() != nil {
				break
			}
			return again, fmt.Errorf("what is to be filed: %w", err)
		}
		if len(docs) == 0 {
			break
		}
		after = docs[len(docs)-1].ID
		f.batch(l.finish, f.ready(docs))
	}
	if f.diskTroubled() {
		return f.disk.until, nil
	}
	if f.disk.tries > 0 && l.work.Err() == nil {
		// Nothing met the trouble again, or nothing is left that could.
		f.disk = pause{}
		f.p.gate.holdDisk(sorted, "")
	}
	for id, w := range f.later {
		switch {
		case !w.until.After(begun):
			delete(f.later, id) // it was not among what can be moved any more
		case again.IsZero() || w.until.Before(again):
			again = w.until
		}
	}
	f.countAside(begun)
	return again, nil
}

// countAside tells how many documents that failed wait longer to be moved.
func (f *filer) countAside(now time.Time) {
	n := int64(0)
	for _, w := range f.later {
		if w.aside && w.until.After(now) {
			n++
		}
	}
	f.p.stuckAside.Store(n)
}

// ready leaves out the documents that are not to be tried yet. Those that met
// trouble come last: it may be their own.
func (f *filer) ready(docs []store.Document) []*filed {
	now := time.Now()
	var ready []*filed
	for i := range docs {
		if !now.Before(f.later[docs[i].ID].until) {
			ready = append(ready, &filed{doc: &docs[i]})
		}
	}
	slices.SortStableFunc(ready, func(a, b *filed) int {
		return f.later[a.doc.ID].tries - f.later[b.doc.ID].tries
	})
	return ready
}

// errSorted marks errors of the place that documents are sorted into.
var errSorted = errors.New("the sorted documents' folder")

// failed decides what to do about a document that could not be moved.
func (f *filer) failed(ctx context.Context, m *filed, err error) {
	m.done, m.over = false, true
	switch {
	case ctx.Err() != nil:
		f.later[m.doc.ID] = pause{until: time.Now().Add(firstPause)}
		return
	case f.troubledDisk(m.doc, err):
		return
	case errors.Is(err, filing.ErrChanged):
		f.p.gone(ctx, m.doc, "changed in the inbox before it was filed")
		return
	case errors.Is(err, fs.ErrNotExist):
		gone, cause := f.p.absent(m.doc)
		if gone {
			f.p.gone(ctx, m.doc, "taken out of the inbox before it was filed")
			return
		}
		if cause != nil {
			err = cause
		}
	}
	w := f.later[m.doc.ID]
	if w.reason != err.Error() {
		f.p.log.Warn("document cannot be moved now; will try again", "doc", m.doc.ID, "path", m.doc.Source, "err", err)
		if stored := f.p.Store.Waits(ctx, m.doc.ID, err.Error()); stored != nil {
			f.p.transitionFailed(m.doc, "waiting to be moved", stored)
		}
	}
	w.aside = m.doc.Outcome == store.Failed
	f.later[m.doc.ID] = w.longer(err.Error(), max(f.p.Rescan, firstPause))
}

// troubledDisk says whether the error is one of the disk, which every document
// would meet, and holds the work for it. It is not where something can be put into
// sorted all the same, nor where others were moved since this document first met
// it, nor where the document is on its way to another sorted folder than today's.
func (f *filer) troubledDisk(d *store.Document, err error) bool {
	w := f.later[d.ID]
	if _, missing := os.Stat(f.p.Sorted); missing == nil {
		trouble := filing.DiskTrouble(err) || store.DiskTrouble(err) ||
			errors.Is(err, errSorted) && !errors.Is(err, filing.ErrNotFolder)
		own := w.suspect != 0 && f.moved >= w.suspect || d.Sorted != "" && d.Sorted != f.p.Sorted
		if !trouble || own || !filing.DiskTrouble(err) && !store.DiskTrouble(err) && f.try() == nil {
			return false
		}
	}
	if !time.Now().Before(f.disk.until) {
		f.disk = f.disk.longer(err.Error(), longestDiskWait)
	}
	if w.suspect == 0 {
		w.suspect = f.moved + 1
	}
	w.tries, w.until = w.tries+1, f.disk.until
	f.later[d.ID] = w
	f.p.gate.holdDisk(sorted, err.Error())
	return true
}

// trial is whether documents could be put into sorted, a moment ago.
type trial struct {
	at  time.Time
	err error
}

// trialLasts is how long a trial tells of all documents that are moved meanwhile.
const trialLasts = time.Second

// try says whether documents can be put into sorted.
func (f *filer) try() error {
	if f.tried.at.IsZero() || time.Since(f.tried.at) >= trialLasts {
		f.tried = trial{time.Now(), filing.Writable(f.p.Sorted)}
	}
	return f.tried.err
}
