package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

const (
	fileBatch = 256 // documents that are moved together, with one sync for each folder and one commit
	diskBatch = 4   // those that are tried, chosen at random, during a hold of the disk
	movers    = 4   // documents that are moved at a time where each is synced on its own
	nameTries = 20  // free names that are chosen in turn where another program takes each before the move
)

var errSortedAway = fmt.Errorf("%w: the sorted folder was a mount point and is not any more; mount it", filing.ErrNoRoot)

var errNames = errors.New("every free name was taken before it could be used")

// filer moves documents to where they belong. It is used by one goroutine.
type filer struct {
	p       *Pipeline
	copies  *copies
	emptied map[string]time.Time // folders of the inbox, and when to look whether they are empty
	unfit   map[int64]bool       // documents for which the disk has no room
	held    int                  // rounds in a row that the disk failed for every document
	until   time.Time            // the end of the pause after them
	mounted bool                 // sorted was a mount point in this run
}

// moving is a document that is being moved. In the end it was moved, or err says why not.
type moving struct {
	doc   *store.Document
	name  string // to have, where the filesystem refused the document's own; "": that
	moved bool
	err   error
}

// wanted is the name that the document is to have.
func (m *moving) wanted() string { return cmp.Or(m.name, path.Base(m.doc.Source)) }

// fileAll moves every document whose outcome is decided. It returns once l.work has
// ended, and with it the moves under way.
func (p *Pipeline) fileAll(l lifetimes) error {
	f := filer{p: p, copies: newCopies(), emptied: make(map[string]time.Time), unfit: make(map[int64]bool)}
	defer f.copies.wg.Wait()
	finish, abort := context.WithCancel(l.finish)
	defer abort()
	l.finish = finish
	f.mounted = isMountPoint(p.Sorted)
	if err := f.emptiedBefore(l.work); err != nil {
		return err
	}
	for l.work.Err() == nil {
		p.filing.beat()
		again, err := f.round(l)
		if err != nil && l.work.Err() == nil {
			return err
		}
		look := f.removeEmptied()
		p.filing.idle()
		select {
		case <-p.fileNow:
			f.until = time.Time{} // RetryNow asks for a try at once
		case <-f.copies.ended:
		case <-at(again):
		case <-at(look):
		case <-l.work.Done():
		}
	}
	f.copies.wg.Wait()
	f.settle(l.finish, f.copies.take())
	return l.work.Err()
}

// round moves what can be moved, and returns when to look again; zero: when woken.
func (f *filer) round(l lifetimes) (again time.Time, err error) {
	f.settle(l.finish, f.copies.take())
	if time.Now().Before(f.until) {
		return f.until, nil
	}
	began, limit := time.Now(), fileBatch+len(f.copies.inHand)
	docs, err := read(l.work, f.p, func(ctx context.Context) ([]store.Document, error) {
		return f.p.Store.Due(ctx, store.PhaseFile, began, limit)
	})
	if err != nil {
		return again, err
	}
	all := len(docs) < limit
	docs = slices.DeleteFunc(docs, func(d store.Document) bool { return f.copies.inHand[d.ID] != nil })
	if f.held > 0 && len(docs) > diskBatch {
		rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		docs, all = docs[:diskBatch], false
	}
	if len(docs) > 0 && len(f.copies.inHand) < mostQueued {
		f.batch(l.finish, docs)
		if f.held > 0 {
			if now := time.Now(); f.until.Before(now) { // those that were tried are gone
				f.until = now.Add(firstPause)
			}
			return f.until, nil
		}
		if !all {
			return time.Now(), nil
		}
	}
	again, err = read(l.work, f.p, func(ctx context.Context) (time.Time, error) {
		return f.p.Store.NextDue(ctx, store.PhaseFile, began)
	})
	switch {
	case err != nil || f.held+len(f.unfit) == 0 || len(f.copies.inHand) > 0:
	case len(docs) == 0:
		f.held = 0 // no document waits for the disk
		err = f.forgetGone(l.work)
	case again.IsZero(): // what did not fit may be gone
		again = time.Now().Add(time.Second)
	}
	return again, err
}

// batch files documents, each step for all of them: it stores their targets, moves them,
// syncs the folders and stores that they are filed.
func (f *filer) batch(ctx context.Context, docs []store.Document) {
	all := make([]*moving, len(docs))
	for i := range docs {
		all[i] = &moving{doc: &docs[i]}
	}
	if f.isSortedAway() {
		for _, m := range all {
			m.err = errSortedAway
		}
		f.failed(ctx, all, false)
		return
	}
	f.resume(ctx, all)
	for range nameTries {
		chosen := f.choose(ctx, all)
		if len(chosen) == 0 {
			break
		}
		f.move(ctx, chosen)
	}
	var here []*moving
	for _, m := range all {
		if !m.moved && m.err == nil {
			m.err = errNames
		}
		switch {
		case errors.Is(m.err, store.ErrStale): // whatever changed it goes on with it
		case errors.Is(m.err, filing.ErrNeedsCopy) && m.doc.Identity.Size > docutray.MaxFileSize:
			m.err = errNotCopied
			here = append(here, m)
		case errors.Is(m.err, filing.ErrNeedsCopy):
			f.copies.add(ctx, f.p, m)
		default:
			here = append(here, m)
		}
	}
	f.settle(ctx, here)
}

// isSortedAway reports whether sorted is not mounted any more: what is put into the folder
// beneath is hidden as soon as it is mounted again.
func (f *filer) isSortedAway() bool {
	is := isMountPoint(f.p.Sorted)
	away := f.mounted && !is
	f.mounted = f.mounted || is
	return away
}

func moveOf(inbox string, m *moving) filing.Move {
	d := m.doc
	root, source := placeOf(inbox, d)
	return filing.Move{
		Root: root, Source: source, Identity: filing.Identity(d.Identity), SHA256: d.SHA256,
		Sorted: d.Sorted, Target: d.Target, Tag: strconv.FormatInt(d.ID, 10),
	}
}

// resume finds out what became of documents whose target was stored before: the daemon
// was killed, or the move failed.
func (f *filer) resume(ctx context.Context, all []*moving) {
	for _, m := range all {
		if m.moved = isInPlace(m.doc); m.moved || m.doc.Target == "" {
			continue
		}
		outcome, err := f.p.Mover.Resume(ctx, moveOf(f.p.Inbox, m))
		f.p.filing.beat()
		switch {
		case err != nil:
			m.err = err
		case outcome == filing.Done:
			m.moved = true
		case outcome == filing.Lost:
			m.err = fs.ErrNotExist
		default:
			m.doc.Target = "" // choose again: the settings may have changed
		}
	}
}

// move moves documents to their targets. It clears the target of a document whose name
// was taken meanwhile, or is refused.
func (f *filer) move(ctx context.Context, all []*moving) {
	moves := make([]filing.Move, len(all))
	for i, m := range all {
		moves[i] = moveOf(f.p.Inbox, m)
	}
	atOnce := movers
	if f.p.Mover.SyncContents(moves) {
		atOnce = 1 // no move waits for the disk
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, m := range all {
		g.Go(func() error {
			var err error
			if !isInPlace(m.doc) {
				err = f.p.Mover.Do(ctx, moves[i])
			}
			f.p.filing.beat()
			switch {
			case err == nil:
				m.moved = true
				f.p.OnStep(FileMoved)
			case errors.Is(err, fs.ErrExist):
				m.doc.Target = ""
			case errors.Is(err, filing.ErrName):
				m.doc.Target, m.name = "", filing.NextName(m.wanted())
			default:
				m.err = err
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return no errors
}
