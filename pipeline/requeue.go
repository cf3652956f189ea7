package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"docusort/pipeline/filing"
	"docusort/store"
)

// ErrMoved says that a document's file is no longer where it was put.
var ErrMoved = errors.New("it is no longer there")

// Requeuer puts failed documents back into the inbox, whether the daemon runs or not. If
// it is killed between two steps, the next try, or the daemon, finishes the rest:
//
//	the place in the inbox is stored     the document is still failed
//	the file is moved out of _failed
//	.error.json is removed
//	the folders are synced
//	waiting is stored                    the daemon admits the file, see aside.go
type Requeuer struct {
	Store  *store.Store
	Mover  *filing.Mover
	Inbox  string     // absolute
	OnStep func(Step) // only tests set it
}

// PutBack moves a failed document back to its old place in the inbox, or to another name
// beside it, and returns that place, relative to the inbox. The document keeps its row,
// and the daemon admits it like a dropped file. Where the file was changed in _failed, it
// becomes a new document, the row ends, and changed is true. [ErrMoved]: the file is no
// longer in _failed; nothing was changed.
func (r Requeuer) PutBack(ctx context.Context, doc store.Document) (place string, changed bool, err error) {
	if r.OnStep == nil {
		r.OnStep = func(Step) {}
	}
	mv := putBackMove(&doc, r.Inbox, doc.PutBack)
	done := false
	if doc.PutBack != "" { // an earlier try was interrupted
		done, err = resumePutBack(ctx, r.Mover, &doc, r.Inbox)
	}
	if err == nil && !done {
		mv, err = r.move(ctx, &doc)
		changed = mv.Identity.Size != doc.Identity.Size || !bytes.Equal(mv.SHA256, doc.SHA256)
	}
	if err != nil {
		return "", false, err
	}
	r.OnStep(PutBackMoved)
	if err := removeSidecar(&doc); err != nil {
		return "", false, err
	}
	r.OnStep(FailureRemoved)
	folders := []filing.File{{Root: r.Inbox, Rel: mv.Target}, {Root: doc.Sorted, Rel: doc.Target}}
	if err := errors.Join(r.Mover.SyncFoldersOf(folders)...); err != nil {
		return "", false, err
	}
	if err := r.store(ctx, &doc, mv.Target, changed); err != nil && !errors.Is(err, store.ErrStale) {
		return "", false, err // stale: the daemon has admitted the file already
	}
	r.OnStep(PutBackStored)
	return mv.Target, changed, nil
}

// putBackMove is the move of a failed document to a place in the inbox.
func putBackMove(doc *store.Document, inbox, place string) filing.Move {
	return filing.Move{
		Root: doc.Sorted, Source: doc.Target, Identity: filing.Identity(doc.Identity), SHA256: doc.SHA256,
		Sorted: inbox, Target: place, Tag: "retry-" + strconv.FormatInt(doc.ID, 10),
	}
}

// resumePutBack finishes an interrupted move back, where it can, and reports whether the
// file is in the inbox. A file that was copied to _failed has another identity than its
// row says, and is recognised by its content.
func resumePutBack(ctx context.Context, m *filing.Mover, doc *store.Document, inbox string) (done bool, err error) {
	mv := putBackMove(doc, inbox, doc.PutBack)
	for range 2 { // the first call may only undo the removal of the source
		id, sum, err := readFailed(doc)
		if err == nil && id.Size == doc.Identity.Size && bytes.Equal(sum, doc.SHA256) {
			mv.Identity = id
		}
		outcome, err := m.Resume(ctx, mv)
		if err != nil || outcome != filing.Done {
			return false, err
		}
	}
	return true, nil
}

// move chooses a free place, stores it, and moves the file there.
func (r Requeuer) move(ctx context.Context, doc *store.Document) (mv filing.Move, err error) {
	for range nameTries {
		mv = putBackMove(doc, r.Inbox, "")
		if mv.Identity, mv.SHA256, err = readFailed(doc); err != nil {
			return mv, err
		}
		if mv.Target, err = r.place(ctx, doc.Source); err != nil {
			return mv, err
		}
		if err := r.Store.PuttingBack(ctx, doc.ID, mv.Target); err != nil {
			return mv, err
		}
		r.OnStep(PlaceStored)
		err = moveOrCopy(ctx, r.Mover, mv)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return mv, ErrMoved
		case err == nil, !errors.Is(err, fs.ErrExist):
			return mv, err
		}
	}
	return mv, errNames
}

// readFailed returns the present identity of a failed document's file, and its hash where it
// may still be what it was: of any size, it could be anything else.
func readFailed(doc *store.Document) (filing.Identity, []byte, error) {
	return readFile(doc.Sorted, doc.Target, func(_ *os.File, id filing.Identity) bool {
		return doc.SHA256 != nil && id.Size == doc.Identity.Size
	})
}

// readFile returns the present identity of a regular file, and its hash where that is
// wanted. [ErrMoved]: there is none.
func readFile(root, rel string, hashed func(*os.File, filing.Identity) bool) (id filing.Identity, hash []byte, err error) {
	f, id, err := filing.Open(root, rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, filing.ErrNotRegular) {
		return id, nil, ErrMoved
	}
	if err != nil {
		return id, nil, err
	}
	defer f.Close()
	if !hashed(f, id) {
		return id, nil, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return id, nil, fmt.Errorf("read %q: %w", filepath.Join(root, rel), err)
	}
	return id, sum.Sum(nil), nil
}

// place finds a free place in the inbox that is not an unfinished document's: its file may
// be on its way there.
func (r Requeuer) place(ctx context.Context, source string) (string, error) {
	dir, name := path.Split(source)
	var failed error
	name, err := filing.FreeName(filepath.Join(r.Inbox, dir), name, nil, func(name string) bool {
		taken, err := r.Store.Unfinished(ctx, dir+name)
		failed = errors.Join(failed, err)
		return taken
	})
	return dir + name, errors.Join(err, failed)
}

// store stores that the document waits, or has ended because it was changed.
func (r Requeuer) store(ctx context.Context, doc *store.Document, place string, changed bool) error {
	if changed {
		return r.Store.PutBackChanged(ctx, doc.ID)
	}
	inbox, err := folderAt(r.Inbox)
	if err != nil {
		return err
	}
	id, err := filing.Stat(r.Inbox, place)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // missing: the next scan finds out why
		return err
	}
	return r.Store.PutBack(ctx, doc.ID, inbox, store.Identity(id))
}
