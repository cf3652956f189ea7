package pipeline

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"docusort/pipeline/filing"
	"docusort/store"
)

// returned names the failed documents that a file of the inbox may be, because
// theirs are not where they were put, and clears away what was written beside
// them.
func (p *Pipeline) returned(ctx context.Context, a *store.Admission) ([]int64, error) {
	if a.Blocked != "" {
		return nil, nil
	}
	docs, err := asked(ctx, p, nil, func(ctx context.Context) ([]store.Document, error) {
		return p.Store.FailedAlike(ctx, a.Source, a.SHA256, a.Identity)
	})
	if err != nil {
		return nil, err
	}
	var ids []int64
	for i := range docs {
		away, err := p.away(ctx, &docs[i], a.Source)
		if err == nil && away {
			err = removeFailure(&docs[i])
		}
		if err != nil {
			return nil, err
		}
		if away {
			ids = append(ids, docs[i].ID)
		}
	}
	return ids, nil
}

// away says whether a failed document's file is not where it was put. A move
// back to source that was cut off is finished first.
func (p *Pipeline) away(ctx context.Context, doc *store.Document, source string) (bool, error) {
	if doc.PutBack == source {
		done, err := resumeBack(ctx, p.Mover, doc, p.Inbox)
		if err != nil || done {
			return done, err
		}
	}
	there, err := filing.Stat(doc.Sorted, doc.Target)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, filing.ErrNotRegular):
		return true, nil
	case errors.Is(err, fs.ErrPermission):
		return false, nil // the trouble of one document is not another's
	case err != nil:
		return false, err
	case there.Size != doc.Identity.Size:
		return true, nil // another one has the name by now
	case there.ModTime == doc.Identity.ModTime:
		return false, nil
	}
	_, sum, err := whatLies(doc)
	if errors.Is(err, ErrAway) || errors.Is(err, fs.ErrPermission) {
		return errors.Is(err, ErrAway), nil
	}
	return err == nil && !bytes.Equal(sum, doc.SHA256), err
}

// maxFailure bounds the file beside a failed document.
const maxFailure = 1 << 20

// removeFailure removes the file beside a failed document that says why, where
// it is the one that was written for this document; anything else stays.
func removeFailure(doc *store.Document) error {
	name := doc.Target + failureSuffix
	f, _, err := filing.Open(doc.Sorted, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, filing.ErrNotRegular) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var there sidecar
	if err := json.NewDecoder(io.LimitReader(f, maxFailure)).Decode(&there); err != nil {
		return nil // not ours
	}
	if there.Version != 1 || there.Reason != doc.Error || there.SHA256 != hex.EncodeToString(doc.SHA256) || there.Size != doc.Identity.Size {
		return nil
	}
	root, err := os.OpenRoot(doc.Sorted)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %q: %w", filepath.Join(doc.Sorted, name), err)
	}
	return nil
}
