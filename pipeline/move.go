package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// movers is how many documents of a batch are moved at the same time, where each
// waits for the disk.
const movers = 4

// filed is one document on its last stretch.
type filed struct {
	doc  *store.Document
	done bool // it lies at its target
	over bool // it met trouble, and is not tried again in this batch
}

// nameTries is how often another name is chosen where one that was free is taken
// at the move: others may put files there, but not as fast as that.
const nameTries = 20

var errNames = errors.New("every name that was free was taken when it was to be used")

// batch takes documents through the last steps, each step for all of them:
// target stored, moved, safe on the disk, stored as filed.
func (f *filer) batch(ctx context.Context, docs []*filed) {
	f.resume(ctx, docs)
	for range nameTries {
		chosen := f.choose(ctx, docs)
		if len(chosen) == 0 {
			break
		}
		f.move(ctx, chosen)
	}
	f.settle(ctx, docs)
	for _, m := range docs {
		if !m.done && !m.over && !f.diskTroubled() {
			f.failed(ctx, m, errNames)
		}
	}
}

func (f *filer) moveOf(d *store.Document) filing.Move {
	return filing.Move{
		Root: f.p.Inbox, Source: d.Source, Identity: filing.Identity(d.Identity), SHA256: d.SHA256,
		Sorted: d.Sorted, Target: d.Target, Tag: strconv.FormatInt(d.ID, 10),
	}
}

// resume finds out what became of the documents whose target was stored before:
// the daemon ended, or the move met an error.
func (f *filer) resume(ctx context.Context, docs []*filed) {
	for _, m := range docs {
		if m.doc.Target == "" {
			continue
		}
		outcome, err := f.p.Mover.Resume(ctx, f.moveOf(m.doc))
		f.p.pulses.file.answer()
		switch {
		case err != nil:
			f.failed(ctx, m, err)
		case outcome == filing.Done:
			m.done = true
		case outcome == filing.Lost:
			f.failed(ctx, m, fs.ErrNotExist)
		default:
			m.doc.Target = "" // choose anew; the settings may be others by now
		}
	}
}

func (f *filer) diskTroubled() bool { return time.Now().Before(f.disk.until) }

// move moves documents to their targets. A document whose name was taken in the
// meantime is left without a target.
func (f *filer) move(ctx context.Context, docs []*filed) {
	errs := f.moveAll(ctx, docs)
	for i, m := range docs {
		switch {
		case errs[i] == nil:
			m.done = true
		case errors.Is(errs[i], fs.ErrExist):
			m.doc.Target = ""
		default:
			f.failed(ctx, m, errs[i])
		}
	}
}

// moveAll tries each move once, and copies where a move is not enough. Where the
// contents were synced together, a move waits for nothing and they are made one after
// another.
func (f *filer) moveAll(ctx context.Context, docs []*filed) []error {
	moves := make([]filing.Move, len(docs))
	for i, m := range docs {
		moves[i] = f.moveOf(m.doc)
	}
	atOnce := movers
	if f.syncContents(moves) {
		atOnce = 1
	}
	errs := make([]error, len(docs))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range moves {
		g.Go(func() error {
			if errs[i] = f.p.Mover.MoveOrCopy(ctx, moves[i]); errs[i] == nil {
				f.p.reached(FileMoved)
			}
			f.p.pulses.file.answer()
			return nil
		})
	}
	_ = g.Wait() // its functions return no errors
	return errs
}

// syncContents makes contents last together, where that is worth it, and answers
// meanwhile: it may wait for what others wrote to the same disk.
func (f *filer) syncContents(moves []filing.Move) bool {
	ended := make(chan bool)
	go func() { ended <- f.p.Mover.SyncContents(moves) }()
	for {
		select {
		case done := <-ended:
			return done
		case <-f.p.pulses.file:
		}
	}
}

// settle makes moves durable, first on the disk and then in the record.
func (f *filer) settle(ctx context.Context, docs []*filed) {
	var written []*filed
	for _, m := range docs {
		if !m.done {
			continue
		}
		if err := f.writeSidecar(m.doc); err != nil {
			f.failed(ctx, m, err)
			continue
		}
		written = append(written, m)
	}
	if len(written) == 0 {
		return
	}
	f.p.reached(SidecarWritten)
	done := f.sync(ctx, written)
	if len(done) == 0 {
		return
	}
	f.p.reached(FoldersSynced)
	err := f.durable(ctx, func(ctx context.Context) error { return f.p.Store.Moved(ctx, ids(done)) })
	if err == nil {
		f.p.reached(MovedStored)
	}
	for _, m := range done {
		if err != nil {
			f.failed(ctx, m, err)
			continue
		}
		f.succeeded(m.doc)
	}
}

// sync makes the new names of documents last, and that the old ones are gone. It
// returns the documents for which both do. Each folder is synced once, and trouble
// of one keeps only the documents of that one.
func (f *filer) sync(ctx context.Context, docs []*filed) (safe []*filed) {
	targets, sources := make([]filing.File, len(docs)), make([]filing.File, len(docs))
	for i, m := range docs {
		targets[i] = filing.File{Root: m.doc.Sorted, Rel: m.doc.Target}
		sources[i] = filing.File{Root: f.p.Inbox, Rel: m.doc.Source}
	}
	errs := f.p.Mover.SyncFoldersOf(append(targets, sources...))
	for i, m := range docs {
		if err := errs[i]; err != nil {
			f.failed(ctx, m, fmt.Errorf("%w: %w", errSorted, err))
			continue
		}
		err := errs[len(docs)+i]
		if errors.Is(err, fs.ErrPermission) {
			// A rename lasts with its target. A copy's source may be back after a loss
			// of power, and is then known by its content.
			f.p.log.Debug("folder of the inbox cannot be synced", "doc", m.doc.ID, "path", m.doc.Source, "err", err)
			err = nil
		}
		if err != nil {
			f.failed(ctx, m, err)
			continue
		}
		safe = append(safe, m)
	}
	return safe
}

func ids(docs []*filed) []int64 {
	all := make([]int64, len(docs))
	for i, m := range docs {
		all[i] = m.doc.ID
	}
	return all
}

func (f *filer) succeeded(d *store.Document) {
	delete(f.later, d.ID)
	target := filepath.Join(d.Sorted, d.Target)
	if d.Outcome == store.Failed {
		f.p.log.Info("document moved aside", "doc", d.ID, "path", d.Source, "target", target, "err", d.Error)
	} else {
		f.p.log.Info("document "+string(d.Outcome), "doc", d.ID, "path", d.Source, "target", target,
			"type", d.Type, "confidence", d.Confidence)
	}
	f.moved++
	if dir := path.Dir(d.Source); dir != "." {
		f.p.emptied.add(dir)
	}
}
