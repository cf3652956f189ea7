package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"

	"docusort/pipeline/filing"
	"docusort/store"
)

// A failed document is put back in this order, so that whoever ends in between
// leaves nothing that the next one, or the daemon, does not know how to go on
// with:
//
//	place in the inbox stored     the record still says failed
//	moved out of _failed
//	.error.json removed
//	folders synced
//	waiting stored                the daemon admits it, see returned

// The steps of putting back, in their order.
const (
	PlaceStored    Step = "place stored" // the move comes next
	PutBackMoved   Step = "put back"
	FailureRemoved Step = "failure removed"
	PutBackStored  Step = "put back stored"
)

// PutBackSteps lists every step of putting a document back.
func PutBackSteps() []Step {
	return []Step{PlaceStored, PutBackMoved, FailureRemoved, PutBackStored}
}

// ErrAway says that a failed document is not where it was put.
var ErrAway = errors.New("it is no longer there")

// Returner puts failed documents back into the inbox, while the daemon runs or
// not.
type Returner struct {
	Store  *store.Store
	Mover  *filing.Mover
	Inbox  string     // absolute
	OnStep func(Step) // never set outside tests
}

// PutBack puts a failed document back to its old place, or beside what lies
// there, and returns the place, relative to the inbox. Its record goes on: the
// daemon admits the document like one that was dropped. [ErrAway]: somebody
// took it; nothing was changed. One that was changed where it lay is put back
// too, and its record ends, because the daemon takes it for a document of its
// own: then changed is true.
func (r Returner) PutBack(ctx context.Context, doc store.Document) (place string, changed bool, err error) {
	mv := backMove(&doc, r.Inbox, doc.PutBack)
	done := false
	if doc.PutBack != "" { // an earlier try was cut off
		if done, err = resumeBack(ctx, r.Mover, &doc, r.Inbox); err != nil {
			return "", false, err
		}
	}
	if !done {
		if mv, err = r.move(ctx, &doc); err != nil {
			return "", false, err
		}
		changed = !bytes.Equal(mv.SHA256, doc.SHA256)
	}
	r.reached(PutBackMoved)
	if err := removeFailure(&doc); err != nil {
		return "", false, err
	}
	r.reached(FailureRemoved)
	if err := errors.Join(r.Mover.SyncFoldersOf([]filing.File{{Root: r.Inbox, Rel: mv.Target}, {Root: doc.Sorted, Rel: doc.Target}})...); err != nil {
		return "", false, err
	}
	if err := r.record(ctx, &doc, mv.Target, changed); err != nil {
		return "", false, err
	}
	r.reached(PutBackStored)
	return mv.Target, changed, nil
}

func (r Returner) reached(s Step) {
	if r.OnStep != nil {
		r.OnStep(s)
	}
}

// backMove is the way back of a document.
func backMove(doc *store.Document, inbox, place string) filing.Move {
	return filing.Move{
		Root: doc.Sorted, Source: doc.Target, Identity: filing.Identity(doc.Identity), SHA256: doc.SHA256,
		Sorted: inbox, Target: place, Tag: "retry-" + strconv.FormatInt(doc.ID, 10),
	}
}

// resumeBack finishes a move back that was cut off, if it can be, and says whether
// it has been made. A file that was copied to _failed is another one than the
// record describes: it is known by its content.
func resumeBack(ctx context.Context, m *filing.Mover, doc *store.Document, inbox string) (done bool, err error) {
	mv := backMove(doc, inbox, doc.PutBack)
	for range 2 { // the first may only put back to its name what was being removed
		id, sum, err := whatLies(doc)
		lies := err == nil && id.Size == doc.Identity.Size && bytes.Equal(sum, doc.SHA256)
		if lies {
			mv.Identity = id
		}
		outcome, err := m.Resume(ctx, mv)
		if err != nil || outcome != filing.Done {
			return false, err
		}
	}
	return true, nil
}

// move chooses a free place, stores it, and moves what lies in _failed there.
func (r Returner) move(ctx context.Context, doc *store.Document) (mv filing.Move, err error) {
	for range nameTries {
		mv = backMove(doc, r.Inbox, "")
		if mv.Identity, mv.SHA256, err = whatLies(doc); err != nil {
			return mv, err
		}
		if mv.Target, err = r.place(ctx, doc.Source); err != nil {
			return mv, err
		}
		if err := r.Store.PuttingBack(ctx, doc.ID, mv.Target); err != nil {
			return mv, err
		}
		r.reached(PlaceStored)
		err = r.Mover.MoveOrCopy(ctx, mv)
		switch {
		case err == nil:
			return mv, nil
		case errors.Is(err, fs.ErrNotExist):
			return mv, ErrAway
		case !errors.Is(err, fs.ErrExist):
			return mv, err
		}
	}
	return mv, errNames
}

// whatLies looks at the file of a failed document: it may have been changed.
func whatLies(doc *store.Document) (filing.Identity, []byte, error) {
	f, id, err := filing.Open(doc.Sorted, doc.Target)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, filing.ErrNotRegular) {
		return id, nil, ErrAway
	}
	if err != nil {
		return id, nil, err
	}
	defer f.Close()
	if doc.SHA256 == nil && id.Size == doc.Identity.Size {
		return id, nil, nil // it was never read: empty, or far too large
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return id, nil, fmt.Errorf("read %q: %w", filepath.Join(doc.Sorted, doc.Target), err)
	}
	return id, sum.Sum(nil), nil
}

// place finds a place in the inbox where nothing lies and that is no unfinished
// document's, whose file may be on its way.
func (r Returner) place(ctx context.Context, source string) (string, error) {
	dir, name := path.Split(source)
	var failed error
	name, err := filing.FreeName(filepath.Join(r.Inbox, dir), name, nil, func(name string) bool {
		taken, err := r.Store.Unfinished(ctx, dir+name)
		failed = errors.Join(failed, err)
		return taken
	})
	return dir + name, errors.Join(err, failed)
}

// record stores that the document waits, or that it is another one by now.
func (r Returner) record(ctx context.Context, doc *store.Document, place string, changed bool) error {
	if changed {
		return unlessStale(r.Store.PutBackChanged(ctx, doc.ID))
	}
	inbox, err := folderAt(r.Inbox)
	if err != nil {
		return err
	}
	id, err := filing.Stat(r.Inbox, place)
	if errors.Is(err, fs.ErrNotExist) {
		// The daemon was quicker, or somebody took it: a look at the inbox will
		// tell.
		err = nil
	}
	if err != nil {
		return err
	}
	return unlessStale(r.Store.PutBack(ctx, doc.ID, inbox, store.Identity(id)))
}

// unlessStale: the daemon went on with the document meanwhile.
func unlessStale(err error) error {
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}
