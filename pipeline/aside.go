package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"docusort/pipeline/filing"
	"docusort/store"
)

// asideMatches returns the documents in review and failed that a file of the inbox may be,
// because their files are no longer where they were put, and removes their sidecars.
func (p *Pipeline) asideMatches(ctx context.Context, a *store.Admission) ([]int64, error) {
	if a.Blocked != "" {
		return nil, nil
	}
	docs, err := read(ctx, p, func(ctx context.Context) ([]store.Document, error) {
		return p.Store.AsideMatches(ctx, a.Source, a.SHA256, a.Identity)
	})
	if err != nil {
		return nil, err
	}
	var ids []int64
	for i := range docs {
		moved, err := p.movedAway(ctx, &docs[i], a.Source)
		if was := docs[i].Identity; moved && (was.Device != a.Identity.Device || was.Inode != a.Identity.Inode) {
			// It may be a copy, and the document's own file lie where somebody just moved it.
			found, _ := (&follower{p: p}).search(ctx, docs[i:i+1])
			moved = found[docs[i].ID].rel == ""
		}
		if err == nil && moved {
			err = removeSidecar(&docs[i])
		}
		if err != nil {
			return nil, err
		}
		if moved {
			ids = append(ids, docs[i].ID)
		}
	}
	return ids, nil
}

// movedAway reports whether a document's file is no longer where it was put aside. It
// finishes an interrupted move back to source first.
func (p *Pipeline) movedAway(ctx context.Context, doc *store.Document, source string) (bool, error) {
	if doc.PutBack == source {
		done, err := resumePutBack(ctx, p.Mover, doc, p.Inbox)
		if err != nil || done {
			return done, err
		}
	}
	there, err := filing.Stat(doc.Sorted, doc.Target)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, filing.ErrNotRegular):
		return true, nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, filing.ErrNoRoot) && doc.Sorted != p.Sorted:
		return false, nil // one document's trouble is not another's
	case err != nil:
		return false, err
	case there.Size != doc.Identity.Size:
		return true, nil // another file has its name by now
	case there.ModTime == doc.Identity.ModTime:
		return false, nil
	}
	_, sum, err := readFailed(doc)
	if errors.Is(err, ErrMoved) || errors.Is(err, fs.ErrPermission) {
		return errors.Is(err, ErrMoved), nil
	}
	return err == nil && !bytes.Equal(sum, doc.SHA256), err
}
