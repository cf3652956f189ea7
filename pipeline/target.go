package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"docusort/pipeline/filing"
	"docusort/store"
)

// choose chooses a target for each document that has none, and stores them before
// anything is moved. It returns the documents that can be moved now.
func (f *filer) choose(ctx context.Context, all []*moving) (chosen []*moving) {
	taken := f.copies.targets() // names that are not on disk yet
	var targets []store.Targeted
	for _, m := range all {
		if m.moved || m.err != nil || m.doc.Target != "" {
			continue
		}
		m.doc.Sorted = f.p.Sorted
		if m.doc.Target, m.err = f.target(m, taken); m.err == nil {
			chosen = append(chosen, m)
			targets = append(targets, store.Targeted{ID: m.doc.ID, Sorted: m.doc.Sorted, Target: m.doc.Target})
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	stale, err := write(ctx, f.p, func(ctx context.Context) ([]int64, error) {
		return f.p.Store.Target(ctx, targets)
	})
	if err == nil {
		f.p.OnStep(TargetStored)
	}
	return slices.DeleteFunc(chosen, func(m *moving) bool {
		if m.err = err; err == nil && slices.Contains(stale, m.doc.ID) {
			m.err = store.ErrStale // it must not be moved
		}
		return m.err != nil
	})
}

// target returns a free name in the folder of the document's outcome.
func (f *filer) target(m *moving, taken map[string]bool) (string, error) {
	d, name, base := m.doc, filing.FolderName(m.doc.Type), path.Base(m.doc.Source)
	if m.safe {
		base = filing.SafeName(base)
	}
	folder := f.p.folderOf(d, name)
	err := f.p.Mover.MakeFolder(f.p.Sorted, folder)
	if errors.Is(err, filing.ErrName) {
		folder = f.p.folderOf(d, filing.SafeFolder(name))
		err = f.p.Mover.MakeFolder(f.p.Sorted, folder)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", errSorted, err)
	}
	var companions []string
	if s := f.p.sidecarOf(d); s != "" {
		companions = []string{s}
	}
	name, err = filing.FreeName(filepath.Join(f.p.Sorted, folder), base, companions, func(name string) bool {
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

// folderOf returns the folder of the document's outcome, beneath sorted. name is that of
// its type.
func (p *Pipeline) folderOf(d *store.Document, name string) string {
	switch d.Outcome {
	case store.Failed:
		return "_failed"
	case store.Review:
		return "_review/" + name
	}
	return p.Folders.Path(name, d.DiscoveredAt.Local())
}
