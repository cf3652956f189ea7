package pipeline

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"

	"docusort/pipeline/filing"
	"docusort/store"
)

// finder looks for documents whose files lie in the sorted folder although the record does
// not say so: it was restored, and is older than the files.
type finder struct {
	store   *store.Store
	sorted  string
	folders filing.Folders
	types   []string // whose codes may be other words than the names of their folders
}

func (p *Pipeline) finder() finder { return finder{p.Store, p.Sorted, p.Folders, p.DocumentTypes} }

// find returns where the file of a document lies, nil where it was not found: a file that
// has its name, or its name with a number, and its content, and is no other document's.
// Those in taken are.
func (f finder) find(ctx context.Context, doc *store.Document, taken map[string]bool) (*store.Found, error) {
	if doc.SHA256 == nil {
		return nil, nil
	}
	for _, at := range f.places(doc) {
		folder, base := at.Target, path.Base(doc.Source)
		names := filing.NamesLike(filepath.Join(f.sorted, folder), base)
		if safe := filing.SafeName(base); safe != base {
			names = append(names, filing.NamesLike(filepath.Join(f.sorted, folder), safe)...)
		}
		for _, name := range names {
			at.Target = path.Join(folder, name)
			id, sum, err := readFile(f.sorted, at.Target, func(_ *os.File, id filing.Identity) bool { return id.Size == doc.Identity.Size })
			if err != nil || taken[at.Target] || !bytes.Equal(sum, doc.SHA256) {
				continue
			}
			has, err := f.store.HasPlace(ctx, doc.ID, doc.SHA256, f.sorted, at.Target)
			if err != nil {
				return nil, err
			}
			if !has {
				at.Identity = store.Identity(id)
				return &at, nil
			}
		}
	}
	return nil, nil
}

// places returns the folders that a document may have been filed in.
func (f finder) places(doc *store.Document) (all []store.Found) {
	add := func(folder string, outcome store.State, kind string) {
		all = append(all, store.Found{Sorted: f.sorted, Target: folder, Outcome: outcome, Type: kind})
	}
	names, _ := f.folders.TypeNames(f.sorted) // none where it cannot be read
	for _, name := range names {
		add(f.folders.Path(name, doc.DiscoveredAt.Local()), store.Filed, f.typeOf(doc, name))
	}
	entries, _ := os.ReadDir(filepath.Join(f.sorted, "_review"))
	for _, e := range entries {
		add(path.Join("_review", e.Name()), store.Review, f.typeOf(doc, e.Name()))
	}
	add("_failed", store.Failed, "")
	return all
}

// typeOf returns the type whose folder has one of these names, the likeliest first: the one
// that the service named, one that is configured, or else one of the first name.
func (f finder) typeOf(doc *store.Document, names ...string) string {
	all := append([]string{doc.Type}, f.types...)
	for _, name := range names {
		for _, code := range all {
			if folder := filing.FolderName(code); code != "" && (folder == name || filing.SafeFolder(folder) == name) {
				return code
			}
		}
	}
	return names[0]
}

// missing decides about a document whose file is not in the inbox any more, for a reason:
// it may have been filed before the record was restored.
func (p *Pipeline) missing(ctx context.Context, doc *store.Document, reason string) error {
	var found *store.Found
	var err error
	if doc.StaysAt == "" {
		found, err = read(ctx, p, func(ctx context.Context) (*store.Found, error) { return p.finder().find(ctx, doc, nil) })
	}
	switch {
	case err != nil || found == nil && doc.State == store.Gone:
		return err
	case found == nil:
		return p.markGone(ctx, doc, reason)
	}
	err = p.save(ctx, func(ctx context.Context) error { return p.Store.Found(ctx, doc.ID, *found) })
	if err == nil {
		p.gate.Forget(doc.ID)
		p.dispatchNow.wake()
		p.logOf(doc).Info("document was filed already", "state", found.Outcome, "type", found.Type, "target", found.Target)
	}
	return err
}
