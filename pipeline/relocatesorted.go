package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// Recorded counts the documents that the record has beneath another sorted folder than
// [Relocator.Sorted], by where their files are.
type Recorded struct {
	In      string // that folder
	Moved   int    // they are at the same places beneath Sorted
	Still   int    // they are where the record says
	Missing int    // they are at neither place, or another file is
	Unclear int    // nothing can be concluded
	Err     error  // about the first of these
}

var errStill = errors.New("it is still there")

// PlanSorted finds out where the files are of documents that the record has beneath another
// sorted folder, and changes nothing. It fails where files are missing and Sorted is
// missing, or empty as one that is not mounted is.
func (r Relocator) PlanSorted(ctx context.Context) ([]Recorded, error) {
	all, err := r.eachElsewhere(ctx, func([]store.Document) error { return nil })
	for _, in := range all {
		if err == nil && in.Missing > 0 && !hasEntries(r.Sorted) {
			err = fmt.Errorf("%s is empty or missing, although %d documents were filed in %s; is it mounted? "+
				"If it is the right folder, put any file into it first", r.Sorted, in.Missing, in.In)
		}
	}
	return all, err
}

// ApplySorted stores that the documents which moved are beneath Sorted, and returns how
// many. It looks again at each, and may be called again after it was interrupted.
func (r Relocator) ApplySorted(ctx context.Context) (stored int64, err error) {
	root, err := folderAt(r.Sorted)
	if err != nil {
		return 0, err
	}
	_, err = r.eachElsewhere(ctx, func(docs []store.Document) error {
		n, err := r.Store.RelocateSorted(ctx, docs, root)
		stored += n
		return err
	})
	return stored, err
}

// eachElsewhere calls do for the documents that moved, some at a time, and counts all of
// them by folder.
func (r Relocator) eachElsewhere(ctx context.Context, do func([]store.Document) error) (all []Recorded, err error) {
	decisions, err := r.Store.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	decided := make(map[int64]store.Decision)
	for _, d := range decisions {
		decided[d.ID] = d
	}
	index := make(map[string]int)
	for after := int64(0); ; {
		docs, err := r.Store.Elsewhere(ctx, r.Sorted, after, sweepBatch)
		if err != nil || len(docs) == 0 {
			return all, err
		}
		var moved []store.Document
		for _, doc := range docs {
			after = doc.ID
			if _, known := index[doc.Sorted]; !known {
				index[doc.Sorted] = len(all)
				all = append(all, Recorded{In: doc.Sorted})
			}
			err := r.hasMoved(ctx, doc, decided[doc.ID])
			if err == nil {
				moved = append(moved, doc)
			}
			all[index[doc.Sorted]].count(err)
		}
		if err := do(moved); err != nil {
			return all, err
		}
	}
}

func (c *Recorded) count(err error) {
	switch {
	case err == nil:
		c.Moved++
	case errors.Is(err, errStill):
		c.Still++
	case errors.Is(err, ErrMoved):
		c.Missing++
	default:
		c.Unclear++
		c.Err = cmp.Or(c.Err, err)
	}
}

// hasMoved returns nil where the file of a document moved with its sorted folder, errStill
// where it did not, and [ErrMoved] where it is at neither place. d is the decision that is
// being carried out, if there is one.
func (r Relocator) hasMoved(ctx context.Context, doc store.Document, d store.Decision) error {
	places := []string{doc.Target, doc.StaysAt}
	var apart filing.File // where it may be on its way from the folder, or to it
	switch {
	case d.ID != 0:
		doc.Identity, doc.SHA256 = d.Identity, d.SHA256
		if d.Sorted == doc.Sorted {
			places = append(places, d.Target)
		} else {
			apart = filing.File{Root: d.Sorted, Rel: d.Target}
		}
	case doc.PutBack != "":
		apart = filing.File{Root: r.Inbox, Rel: doc.PutBack}
	case !doc.State.Finished() && doc.StaysAt == "":
		apart = filing.File{Root: r.Inbox, Rel: doc.Source}
	}
	places = slices.DeleteFunc(places, func(rel string) bool { return rel == "" })
	gone, err := r.hasLeft(doc.Sorted, places)
	if err != nil {
		return err
	}
	for _, rel := range places {
		if is, err := r.isAt(ctx, &doc, r.Sorted, rel); is || err != nil {
			return err
		}
	}
	if apart.Rel == "" {
		return ErrMoved
	}
	switch is, err := r.isAt(ctx, &doc, apart.Root, apart.Rel); {
	case err != nil || is && gone:
		return err
	case is: // a daemon that runs may be about to move it there
		return errStill
	}
	return ErrMoved
}

// hasLeft returns errStill where there is a file at one of these places beneath a folder,
// unless it is the one beneath Sorted, seen by another path. gone: so is the folder.
func (r Relocator) hasLeft(folder string, places []string) (gone bool, err error) {
	for _, rel := range places {
		then, err := filing.Stat(folder, rel)
		switch now, _ := filing.Stat(r.Sorted, rel); {
		case passes(err):
			gone = errors.Is(err, filing.ErrNoRoot)
		case err != nil:
			return false, err
		case now.Device != then.Device || now.Inode != then.Inode:
			return false, errStill
		}
	}
	return gone, nil
}

// isAt reports whether the file at a place is a document's and, by the record, no other
// document's. Who moves files keeps their times, to the second at least: where the time is
// another, the content counts.
func (r Relocator) isAt(ctx context.Context, doc *store.Document, root, rel string) (bool, error) {
	there, err := filing.Stat(root, rel)
	if passes(err) || err == nil && there.Size != doc.Identity.Size {
		return false, nil
	}
	if then := doc.Identity.ModTime; err == nil && there.ModTime != then && there.ModTime != then-then%int64(time.Second) {
		var sum []byte
		_, sum, err = readFile(root, rel, func(_ *os.File, id filing.Identity) bool { return doc.SHA256 != nil && id.Size == doc.Identity.Size })
		if errors.Is(err, ErrMoved) || err == nil && (sum == nil || !bytes.Equal(sum, doc.SHA256)) {
			return false, nil
		}
	}
	if err != nil {
		return false, err
	}
	others, err := r.Store.HasPlace(ctx, doc.ID, doc.SHA256, root, rel)
	return err == nil && !others, err
}
