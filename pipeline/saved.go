package pipeline

import (
	"context"
	"io/fs"
	"os"
	"path"
	"strings"

	"docusort/pipeline/filing"
	"docusort/store"
)

// note remembers which file lies at the place of a document that was put aside.
func (f *follower) note(d store.Aside, info fs.FileInfo, before map[int64]filing.Identity) {
	is, here := filing.IdentityOf(info)
	if !here {
		is, here = before[d.ID]
	} else if is.Device == d.Device && is.Inode == d.Inode {
		return
	}
	if here && len(f.saved) < mostSaved {
		f.saved[d.ID] = is
	}
}

// namesake is a file in the folder of a type that has the name of a document that was not
// found, and other content.
type namesake struct {
	rel   string
	since int64 // its change time
}

// noteNamesake remembers the namesake of a document that came there last.
func (f *follower) noteNamesake(doc *store.Document, rel string, e fs.DirEntry) {
	info, err := e.Info()
	id, regular := filing.IdentityOf(info)
	if top, _, inFolder := strings.Cut(rel, "/"); err != nil || !regular || !inFolder || top == "_review" || top == "_failed" {
		return
	}
	if id.ChangeTime >= f.namesakes[doc.ID].since {
		f.namesakes[doc.ID] = namesake{rel, id.ChangeTime}
	}
}

// instead says what else was seen of a document that is gone, and where: a file of its name
// that is no document's may be what somebody made of it.
func (f *follower) instead(ctx context.Context, doc *store.Document) (seen, where string) {
	rel := f.namesakes[doc.ID].rel
	if rel == "" {
		return "", ""
	}
	_, sum, err := readFile(f.p.Sorted, rel, func(*os.File, filing.Identity) bool { return true })
	if err != nil {
		return "", ""
	}
	has, err := f.p.Store.HasPlace(ctx, doc.ID, sum, f.p.Sorted, rel)
	if err != nil || has {
		return "", ""
	}
	return "; a file of its name lies in " + path.Dir(rel) + ", with other content", rel
}
