package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
	if err := filing.SyncFolders(filepath.Dir(filepath.Join(r.Inbox, mv.Target)), filepath.Dir(filepath.Join(doc.Sorted, doc.Target))); err != nil {
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
		_, err = r.Mover.Do(ctx, mv)
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
