package pipeline

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"docusort/pipeline/filing"
	"docusort/store"
)

// choose decides on a target for each document that has none, and stores them
// all before anything is moved. It returns those that can be moved now.
func (f *filer) choose(ctx context.Context, docs []*filed) []*filed {
	chosen, targets := f.targets(ctx, docs)
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

// targets decides on a target for each document that has none.
func (f *filer) targets(ctx context.Context, docs []*filed) (chosen []*filed, targets []store.Targeted) {
	taken := make(map[string]bool) // given away in this batch
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
	return chosen, targets
}

// target finds a free name in the folder of the document's outcome.
func (f *filer) target(d *store.Document, taken map[string]bool) (string, error) {
	folder := folderOf(d)
	if err := f.p.Mover.MakeFolder(f.p.Sorted, folder); err != nil {
		return "", fmt.Errorf("%w: %w", errSorted, err)
	}
	var companions []string
	if s := f.p.sidecarOf(d); s != "" {
		companions = []string{s}
	}
	name, err := filing.FreeName(filepath.Join(f.p.Sorted, folder), path.Base(d.Source), companions, func(name string) bool {
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
