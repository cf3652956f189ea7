package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	decisions, err := read(ctx, f.p, f.p.Store.Decisions)
	for _, d := range decisions {
		taken[d.Target] = true
	}
	var targets []store.Targeted
	for _, m := range all {
		if m.moved || m.err != nil || m.doc.Target != "" {
			continue
		}
		if m.err = err; err != nil {
			continue
		}
		// One that was renamed leaves its name to the document that it is now.
		if _, m.err = filing.Stat(placeOf(f.p.Inbox, m.doc)); errors.Is(m.err, fs.ErrNotExist) {
			continue
		}
		m.err = nil
		if m.doc.StaysAt != "" && m.doc.Sorted != f.p.Sorted {
			m.err = fmt.Errorf("%w: it lies in another sorted folder", filing.ErrChanged)
			continue
		}
		m.doc.Sorted = f.p.Sorted
		if m.doc.Target, m.err = f.target(m, taken); m.err == nil {
			chosen = append(chosen, m)
			targets = append(targets, store.Targeted{ID: m.doc.ID, Sorted: f.rootFor(m.doc), Target: m.doc.Target})
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
			f.p.fileNow.wake()     // unless a person's decision has its place: then to another one
		}
		return m.err != nil
	})
}

// rootFor returns the sorted folder as it is stored for a document. What is put aside is
// followed, and missed only where that folder stands.
func (f *filer) rootFor(d *store.Document) store.Folder {
	root := store.Folder{Path: f.p.Sorted}
	if d.Outcome != store.Filed {
		if now, err := folderAt(f.p.Sorted); err == nil {
			root = now
		}
	}
	return root
}

// target returns a free name in the folder of the document's outcome.
func (f *filer) target(m *moving, taken map[string]bool) (string, error) {
	d := m.doc
	t := targets{f.p.Mover, f.p.Sorted, func(name string) string { return f.p.folderOf(d, name) }}
	folder, err := t.folder(d.Type)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errSorted, err)
	}
	if path.Dir(d.StaysAt) == folder {
		return d.StaysAt, nil // asked about anew, and of the same type
	}
	var companions []string
	if s := f.p.sidecars().suffix(d); s != "" {
		companions = []string{s}
	}
	target, err := t.free(folder, m.wanted(), companions, taken)
	if err == nil {
		taken[target] = true
		for _, c := range companions {
			taken[target+c] = true
		}
	}
	return target, err
}

// targets chooses places beneath sorted.
type targets struct {
	mover  *filing.Mover
	sorted string
	path   func(name string) string // of the folder for a type of this name
}

// folder returns the folder for a type, and makes it where it is missing.
func (t targets) folder(kind string) (string, error) {
	name := filing.FolderName(kind)
	err := t.mover.MakeFolder(t.sorted, t.path(name))
	if errors.Is(err, filing.ErrName) {
		name = filing.SafeFolder(name)
		err = t.mover.MakeFolder(t.sorted, t.path(name))
	}
	return t.path(name), err
}

// free returns a free place in a folder. taken are those that are not on disk yet.
func (t targets) free(folder, base string, companions []string, taken map[string]bool) (string, error) {
	name, err := filing.FreeName(filepath.Join(t.sorted, folder), base, companions, func(name string) bool {
		return taken[folder+"/"+name]
	})
	return folder + "/" + name, err
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
