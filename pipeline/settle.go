package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	f.p.loops.file.beat()
	moved := f.each(all, func(m *moving) error { return f.writeSidecar(m.doc) })
	if len(moved) > 0 {
		f.p.OnStep(SidecarWritten)
		moved = f.sync(moved)
	}
	if len(moved) > 0 {
		f.p.OnStep(FoldersSynced)
		ids := make([]int64, len(moved))
		for i, m := range moved {
			ids[i] = m.doc.ID
		}
		stale, err := write(ctx, f.p, func(ctx context.Context) ([]int64, error) { return f.p.Store.Moved(ctx, ids) })
		f.p.OnStep(MovedStored)
		moved = f.each(moved, func(m *moving) error {
			if err == nil && slices.Contains(stale, m.doc.ID) {
				return store.ErrStale
			}
			return err
		})
	}
	for _, m := range moved {
		f.succeeded(m.doc)
	}
	f.failed(ctx, all, len(moved) > 0)
}

// each calls do for each document that was moved, and returns those without an error.
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

// sync syncs the folders that documents were moved from and to, each once. An error of a
// folder concerns only its own documents.
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
		// A rename is durable with its target. The source of a copy may be back after a
		// power failure, and is recognised by its content.
		f.p.logOf(m.doc).Debug("folder of the inbox cannot be synced")
		return nil
	})
}

func (f *filer) succeeded(d *store.Document) {
	log := f.p.logOf(d).With("target", d.Target)
	if d.Outcome == store.Failed {
		log.Info("document moved aside", "err", d.Error)
	} else {
		log.Info("document filed", "state", d.Outcome, "type", d.Type, "confidence", d.Confidence,
			"polls", d.Polls, "took", time.Since(d.DiscoveredAt).Round(time.Millisecond))
	}
	f.p.emptied.add(d.Source)
}
