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

// movers is how many documents of a batch are moved at the same time.
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

// choose decides on a target for each document that has none, and stores them
// all before anything is moved. It returns those that can be moved now.
func (f *filer) choose(ctx context.Context, docs []*filed) []*filed {
	taken := make(map[string]bool) // given away in this batch
	var chosen []*filed
	var targets []store.Targeted
	for _, m := range docs {
		if m.done || m.over || m.doc.Target != "" || f.diskTroubled() {
			continue
		}
		target, err := f.target(m.doc, taken)
		if err != nil {
			f.failed(ctx, m, err)
			continue
		}
		m.doc.Sorted, m.doc.Target = f.p.Sorted, target
		chosen = append(chosen, m)
		targets = append(targets, store.Targeted{ID: m.doc.ID, Sorted: m.doc.Sorted, Target: target})
	}
	if len(chosen) == 0 {
		return nil
	}
	var stale []int64
	err := f.durable(ctx, func(ctx context.Context) (err error) {
		stale, err = f.p.Store.Target(ctx, targets)
		return err
	})
	if err == nil {
		f.p.reached(TargetStored)
	}
	gone := make(map[int64]bool)
	for _, id := range stale {
		gone[id] = true
	}
	var movable []*filed
	for _, m := range chosen {
		switch {
		case err != nil:
			f.failed(ctx, m, err)
		case !gone[m.doc.ID]:
			movable = append(movable, m)
		default:
			m.over = true // its state changed meanwhile
		}
	}
	return movable
}

func (f *filer) diskTroubled() bool { return time.Now().Before(f.disk.until) }

// target finds a free name in the folder of the document's outcome.
func (f *filer) target(d *store.Document, taken map[string]bool) (string, error) {
	folder := folderOf(d)
	if err := f.p.Mover.MakeFolder(f.p.Sorted, folder); err != nil {
		return "", fmt.Errorf("%w: %w", errSorted, err)
	}
	dir := filepath.Join(f.p.Sorted, folder)
	var companions []string
	if s := f.p.sidecarOf(d); s != "" {
		companions = []string{s}
	}
	name, err := filing.FreeName(dir, path.Base(d.Source), companions, func(name string) bool {
		return taken[folder+"/"+name]
	})
	if err != nil {
		return "", err
	}
	taken[folder+"/"+name] = true
	for _, c := range companions {
		taken[folder+"/"+name+c] = true
	}
	return folder + "/" + name, nil
}

// Folders beside those of the types.
const (
	reviewFolder = "_review"
	failedFolder = "_failed"
)

// folderOf returns the folder of the document's outcome, beneath sorted.
func folderOf(d *store.Document) string {
	switch d.Outcome {
	case store.Failed:
		return failedFolder
	case store.Review:
		return reviewFolder + "/" + filing.FolderName(d.Type)
	}
	return filing.FolderName(d.Type)
}

// move moves documents to their targets. A document whose name was taken in the
// meantime is left without a target.
func (f *filer) move(ctx context.Context, docs []*filed) {
	errs := make([]error, len(docs))
	var g errgroup.Group
	g.SetLimit(movers)
	for i, m := range docs {
		g.Go(func() error {
			if _, errs[i] = f.p.Mover.Do(ctx, f.moveOf(m.doc)); errs[i] == nil {
				f.p.reached(FileMoved)
			}
			f.p.pulses.file.answer()
			return nil
		})
	}
	_ = g.Wait() // its functions return no errors
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
	synced := make(map[string]error)
	once := func(root, rel string) error {
		folder := filepath.Dir(filepath.Join(root, rel))
		err, known := synced[folder]
		if !known {
			err = filing.SyncFolderOf(root, rel)
			synced[folder] = err
		}
		return err
	}
	for _, m := range docs {
		if err := once(m.doc.Sorted, m.doc.Target); err != nil {
			f.failed(ctx, m, fmt.Errorf("%w: %w", errSorted, err))
			continue
		}
		err := once(f.p.Inbox, m.doc.Source)
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
	log := f.p.log.With("doc", d.ID, "path", d.Source, "target", target)
	if d.Outcome == store.Failed {
		log.Info("document moved aside", "err", d.Error)
	} else {
		log.Info("document "+string(d.Outcome), "type", d.Type, "confidence", d.Confidence)
	}
	f.moved++
	if dir := path.Dir(d.Source); dir != "." {
		f.p.emptied.add(dir)
	}
}
