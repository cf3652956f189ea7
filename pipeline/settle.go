package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// settle makes moves durable, on the disk and then in the database, and decides what
// becomes of the documents that could not be moved.
func (f *filer) settle(ctx context.Context, all []*moving) {
	if len(all) == 0 {
		return
	}
	f.p.filing.beat()
	moved := withoutError(all)
	for _, m := range moved {
		var err error
		if m.doc.StaysAt != "" {
			err = removeEarlier(m.doc)
		}
		if err = cmp.Or(err, f.p.sidecars().write(m.doc)); err != nil {
			m.err = fmt.Errorf("%w: %w", errSorted, err)
		}
	}
	if moved = withoutError(moved); len(moved) > 0 {
		f.p.OnStep(SidecarWritten)
		f.sync(moved)
	}
	if moved = withoutError(moved); len(moved) > 0 {
		f.p.OnStep(FoldersSynced)
		ids := make([]int64, len(moved))
		for i, m := range moved {
			ids[i] = m.doc.ID
		}
		stale, err := write(ctx, f.p, func(ctx context.Context) ([]int64, error) { return f.p.Store.Moved(ctx, ids) })
		f.p.OnStep(MovedStored)
		for _, m := range moved {
			if m.err = err; err == nil && slices.Contains(stale, m.doc.ID) {
				m.err = store.ErrStale
			}
			if m.err == nil {
				f.succeeded(m.doc)
			}
		}
	}
	f.failed(ctx, all, len(withoutError(moved)) > 0)
}

// withoutError returns the documents that were moved and have met no error since.
func withoutError(all []*moving) (good []*moving) {
	for _, m := range all {
		if m.moved && m.err == nil {
			good = append(good, m)
		}
	}
	return good
}

// sync syncs the folders that documents were moved from and to, each once. An error of a
// folder concerns only its own documents.
func (f *filer) sync(all []*moving) {
	var files []filing.File
	for _, m := range all {
		var source filing.File
		source.Root, source.Rel = placeOf(f.p.Inbox, m.doc)
		files = append(files, filing.File{Root: m.doc.Sorted, Rel: m.doc.Target}, source)
	}
	errs := f.p.Mover.SyncFoldersOf(files)
	for i, m := range all {
		target, source := errs[2*i], errs[2*i+1]
		switch {
		case target != nil:
			m.err = fmt.Errorf("%w: %w", errSorted, target)
		case errors.Is(source, fs.ErrPermission):
			// A rename is durable with its target. The source of a copy may be back after
			// a power failure, and is recognised by its content.
			f.p.logOf(m.doc).Debug("folder of the inbox cannot be synced")
		default:
			m.err = source
		}
	}
}

func (f *filer) succeeded(d *store.Document) {
	log := f.p.logOf(d).With("target", d.Target)
	if d.Outcome == store.Failed {
		log.Info("document moved aside", "err", d.Error)
	} else {
		log.Info("document filed", "state", d.Outcome, "type", d.Type, "confidence", d.Confidence,
			"polls", d.Polls, "took", max(0, time.Since(d.DiscoveredAt).Round(time.Millisecond)))
	}
	if d.StaysAt == "" {
		f.wasEmptied(path.Dir(d.Source), time.Now())
	}
}
