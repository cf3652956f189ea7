package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

const (
	// fileBatch is how many documents are moved together: the folders they share are
	// synced once, and their rows committed once.
	fileBatch = 256
	// diskBatch is how many are tried, drawn by lot, while the disk is held.
	diskBatch = 4
	// movers is how many documents of a batch are moved at the same time, where each
	// waits for the disk.
	movers = 4
	// nameTries is how often another name is chosen where one that was free is taken
	// at the move: others may put files there, but not as fast as that.
	nameTries = 20
)

var errNames = errors.New("every free name was taken before it could be used")

// errSorted marks errors of the folder that documents are sorted into.
var errSorted = errors.New("the sorted documents' folder")

// filer moves documents to where they belong. It is used by one goroutine.
type filer struct {
	p      *Pipeline
	copies *copies
	// held is the number of rounds in a row in which the disk kept everything from
	// being moved; 0: it does not.
	held  int
	until time.Time // of the pause that follows
}

// moving is one document on its last stretch. It is settled once it lies at its
// target, or once it met trouble.
type moving struct {
	doc   *store.Document
	moved bool
	err   error
}

// fileAll moves every document whose outcome is decided. It returns when the work is
// to stop and the moves under way have ended.
func (p *Pipeline) fileAll(l lifetimes) error {
	f := filer{p: p, copies: newCopies(p.Mover)}
	for l.work.Err() == nil {
		p.loops.file.beat()
		again, err := f.round(l)
		if err != nil && l.work.Err() == nil {
			return err
		}
		if again.Equal(now) {
			continue
		}
		p.loops.file.idle()
		select {
		case <-p.fileNow:
			f.until = time.Time{} // also where somebody asked for another try at once
		case m := <-f.copies.done:
			f.copies.back = append(f.copies.back, m)
		case <-at(again):
		case <-l.work.Done():
		}
	}
	f.settle(l.finish, f.copies.wait())
	return l.work.Err()
}

// now, as a time to go on at.
var now = time.Unix(0, 0)

// round moves what can be moved, and returns when there will be more; zero: when
// somebody says so.
func (f *filer) round(l lifetimes) (again time.Time, err error) {
	f.settle(l.finish, f.copies.take(l.finish, f.p))
	if time.Now().Before(f.until) {
		return f.until, nil
	}
	began, limit := time.Now(), fileBatch+f.copies.len()
	docs, err := read(l.work, f.p, func(ctx context.Context) ([]store.Document, error) {
		return f.p.Store.Due(ctx, store.PhaseFile, began, limit)
	})
	if err != nil {
		return again, fmt.Errorf("what is to be filed: %w", err)
	}
	all := len(docs) < limit
	docs = slices.DeleteFunc(docs, func(d store.Document) bool { return f.copies.has(d.ID) })
	if f.held > 0 && len(docs) > diskBatch {
		rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		docs, all = docs[:diskBatch], false
	}
	if len(docs) > 0 && !f.copies.full() {
		f.batch(l.finish, docs)
		if f.held > 0 {
			return f.until, nil
		}
		if !all {
			return now, nil
		}
	}
	again, err = read(l.work, f.p, func(ctx context.Context) (time.Time, error) {
		return f.p.Store.NextDue(ctx, store.PhaseFile, began)
	})
	if err != nil {
		return again, fmt.Errorf("when to file again: %w", err)
	}
	if f.held > 0 && again.IsZero() && f.copies.len() == 0 {
		f.held = 0 // nothing is left that could meet the trouble
		f.p.gate.HoldDisk(sortedDisk, "")
	}
	return again, nil
}

// batch takes documents through the last steps, each step for all of them: target
// stored, moved, safe on the disk, stored as filed.
func (f *filer) batch(ctx context.Context, docs []store.Document) {
	all := make([]*moving, len(docs))
	for i := range docs {
		all[i] = &moving{doc: &docs[i]}
	}
	f.resume(ctx, all)
	for range nameTries {
		chosen := f.choose(ctx, all)
		if len(chosen) == 0 {
			break
		}
		f.move(ctx, chosen)
	}
	for _, m := range all {
		if !m.moved && m.err == nil {
			m.err = errNames
		}
	}
	var here []*moving
	for _, m := range all {
		switch {
		case errors.Is(m.err, errStaleTarget): // whoever changed it goes on with it
		case errors.Is(m.err, filing.ErrNeedsCopy):
			f.copies.add(m)
		default:
			here = append(here, m)
		}
	}
	f.copies.start(ctx, f.p)
	f.settle(ctx, here)
}

func moveOf(inbox string, m *moving) filing.Move {
	d := m.doc
	return filing.Move{
		Root: inbox, Source: d.Source, Identity: filing.Identity(d.Identity), SHA256: d.SHA256,
		Sorted: d.Sorted, Target: d.Target, Tag: strconv.FormatInt(d.ID, 10),
	}
}

// resume finds out what became of the documents whose target was stored before: the
// daemon was killed, or the move failed.
func (f *filer) resume(ctx context.Context, all []*moving) {
	for _, m := range all {
		if m.doc.Target == "" {
			continue
		}
		outcome, err := f.p.Mover.Resume(ctx, moveOf(f.p.Inbox, m))
		f.p.loops.file.beat()
		switch {
		case err != nil:
			m.err = err
		case outcome == filing.Done:
			m.moved = true
		case outcome == filing.Lost:
			m.err = fs.ErrNotExist
		default:
			m.doc.Target = "" // choose again; the settings may be others by now
		}
	}
}

// move moves documents to their targets. A document whose name was taken meanwhile is
// left without a target.
func (f *filer) move(ctx context.Context, all []*moving) {
	moves := make([]filing.Move, len(all))
	for i, m := range all {
		moves[i] = moveOf(f.p.Inbox, m)
	}
	atOnce := movers
	if f.p.Mover.SyncContents(moves) {
		atOnce = 1 // a move waits for nothing then
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, m := range all {
		g.Go(func() error {
			err := f.p.Mover.Do(ctx, moves[i])
			f.p.loops.file.beat()
			switch {
			case err == nil:
				m.moved = true
				f.p.reached(FileMoved)
			case errors.Is(err, fs.ErrExist):
				m.doc.Target = ""
			default:
				m.err = err
			}
			return nil
		})
	}
	_ = g.Wait() // its functions return no errors
}

// settle makes moves durable, first on the disk and then in the database, and decides
// about what could not be moved.
func (f *filer) settle(ctx context.Context, all []*moving) {
	if len(all) == 0 {
		return
	}
	f.p.loops.file.beat()
	moved := f.each(all, func(m *moving) error { return f.writeSidecar(m.doc) })
	if len(moved) > 0 {
		f.p.reached(SidecarWritten)
		moved = f.sync(moved)
	}
	if len(moved) > 0 {
		f.p.reached(FoldersSynced)
		ids := make([]int64, len(moved))
		for i, m := range moved {
			ids[i] = m.doc.ID
		}
		err := f.p.save(ctx, func(ctx context.Context) error { return f.p.Store.Moved(ctx, ids) })
		f.p.reached(MovedStored)
		moved = f.each(moved, func(*moving) error { return err })
	}
	for _, m := range moved {
		f.succeeded(m.doc)
	}
	f.failed(ctx, all, len(moved) > 0)
}

// each does something for each document that was moved, and returns those for which
// that succeeded.
func (f *filer) each(all []*moving, do func(*moving) error) (done []*moving) {
	for _, m := range all {
		if !m.moved || m.err != nil {
			continue
		}
		if m.err = do(m); m.err == nil {
			done = append(done, m)
		}
	}
	return done
}

// sync makes the new names of documents last, and that the old ones are gone. Each
// folder is synced once, and trouble of one keeps only the documents of that one.
func (f *filer) sync(all []*moving) (safe []*moving) {
	targets, sources := make([]filing.File, len(all)), make([]filing.File, len(all))
	for i, m := range all {
		targets[i] = filing.File{Root: m.doc.Sorted, Rel: m.doc.Target}
		sources[i] = filing.File{Root: f.p.Inbox, Rel: m.doc.Source}
	}
	errs := f.p.Mover.SyncFoldersOf(append(targets, sources...))
	i := -1
	return f.each(all, func(m *moving) error {
		i++
		if err := errs[i]; err != nil {
			return fmt.Errorf("%w: %w", errSorted, err)
		}
		if err := errs[len(all)+i]; !errors.Is(err, fs.ErrPermission) {
			return err
		}
		// A rename lasts with its target. A copy's source may be back after a loss of
		// power, and is then known by its content.
		f.p.log.Debug("folder of the inbox cannot be synced", "doc", m.doc.ID, "path", m.doc.Source)
		return nil
	})
}

func (f *filer) succeeded(d *store.Document) {
	log := f.p.log.With("doc", d.ID, "path", d.Source, "target", d.Target)
	if d.Outcome == store.Failed {
		log.Info("document moved aside", "err", d.Error)
	} else {
		log.Info("document filed", "state", d.Outcome, "type", d.Type, "confidence", d.Confidence,
			"polls", d.Polls, "took", time.Since(d.DiscoveredAt).Round(time.Millisecond))
	}
	f.p.emptied.add(d.Source)
}

// failed decides about the documents of a round that could not be moved. Trouble of a
// disk is everybody's where nobody was moved; else it is that one document's own.
func (f *filer) failed(ctx context.Context, all []*moving, anyMoved bool) {
	disk := slices.IndexFunc(all, func(m *moving) bool { return m.err != nil && f.isDisk(m) })
	held := disk >= 0 && !anyMoved
	switch {
	case held:
		f.held++
		f.until = time.Now().Add(backoff(f.held, longestDiskPause, 0))
		f.p.gate.HoldDisk(sortedDisk, all[disk].err.Error())
	case anyMoved && f.held > 0:
		f.held, f.until = 0, time.Time{}
		f.p.gate.HoldDisk(sortedDisk, "")
	}
	for _, m := range all {
		if m.err == nil {
			continue
		}
		retry := time.Time{} // together with the others, when the disk lets them
		if !held {
			retry = time.Now().Add(backoff(m.doc.Failures+1, max(f.p.Rescan, firstPause), rand.Float64()))
		}
		f.setError(ctx, m, retry)
	}
}

// isDisk reports whether the trouble of a document may be that of the disk that all are
// sorted into. It is not for one on its way to another folder than today's.
func (f *filer) isDisk(m *moving) bool {
	if m.doc.Sorted != "" && m.doc.Sorted != f.p.Sorted {
		return false
	}
	return filing.DiskTrouble(m.err) || errors.Is(m.err, errSorted) && filing.Writable(f.p.Sorted) != nil
}

// setError stores why a document could not be moved, and when to try again.
func (f *filer) setError(ctx context.Context, m *moving, retry time.Time) {
	d, err := m.doc, m.err
	if ctx.Err() != nil {
		return // the next run resumes
	}
	switch {
	case errors.Is(err, filing.ErrChanged):
		f.logNotStored(d, f.p.markGone(ctx, d, "changed in the inbox before it was filed"))
		return
	case errors.Is(err, fs.ErrNotExist):
		gone, cause := f.p.isGone(d)
		if gone {
			f.logNotStored(d, f.p.markGone(ctx, d, "removed from the inbox before it was filed"))
			return
		}
		if cause != nil {
			err = cause
		}
	}
	if d.Failures == 0 || d.Outcome != store.Failed && d.Error != err.Error() {
		f.p.log.Warn("document cannot be moved; will try again", "doc", d.ID, "path", d.Source, "err", err)
	}
	f.logNotStored(d, f.p.save(ctx, func(ctx context.Context) error {
		return f.p.Store.SetMoveError(ctx, d.ID, err.Error(), retry)
	}))
}

func (f *filer) logNotStored(d *store.Document, err error) {
	if err != nil {
		f.p.notStored(d, err)
	}
}
