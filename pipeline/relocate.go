package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// Relocator tells the record that the inbox in the settings is the one that its unfinished
// documents are in, and the sorted folder the one that the others are in, after a move or a
// take-over, whether the daemon runs or not.
type Relocator struct {
	Store         *store.Store
	Inbox, Sorted string // absolute
	Folders       filing.Folders
	DocumentTypes []string
}

// Relocation is what was found out about one unfinished document. One that has neither
// arrived nor is found or gone, and has no reason to be left, is in the inbox.
type Relocation struct {
	Document store.Document
	Arrived  bool // it lies beneath sorted, as the record says: the daemon does the rest
	Found    *store.Found
	Gone     bool
	Left     error // nothing can be concluded
}

// Plan finds out what became of each unfinished document, and changes nothing. It fails
// where documents would be gone only because a folder is missing, or empty as one that is
// not mounted is.
func (r Relocator) Plan(ctx context.Context) (plan []Relocation, err error) {
	inbox, err := folderAt(r.Inbox)
	if err != nil {
		return nil, fmt.Errorf("the inbox is missing; is it mounted? %w", err)
	}
	taken := make(map[string]bool)
	gone := 0
	for after := int64(0); ; {
		docs, err := r.Store.AllUnfinished(ctx, after, sweepBatch)
		if err != nil {
			return nil, err
		}
		if len(docs) == 0 {
			break
		}
		for _, doc := range docs {
			after = doc.ID
			one, err := r.conclude(ctx, doc, inbox, taken)
			if err != nil {
				return nil, err
			}
			if one.Gone {
				gone++
			}
			plan = append(plan, one)
		}
	}
	if gone > 0 {
		err = r.checkFolders(ctx, gone)
	}
	return plan, err
}

func (r Relocator) conclude(ctx context.Context, doc store.Document, inbox store.Folder, taken map[string]bool) (one Relocation, err error) {
	one.Document = doc
	if one.Arrived = doc.StaysAt != ""; one.Arrived {
		return one, nil // whatever the inbox is
	}
	there, err := filing.Stat(r.Inbox, doc.Source)
	switch {
	case err == nil && there.Size == doc.Identity.Size:
		return one, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, filing.ErrNotRegular):
		one.Left = err
		return one, nil
	}
	inInbox := err == nil // and has changed, or is another document's
	for _, root := range []string{doc.Sorted, r.Sorted} {
		if doc.Target == "" {
			break
		}
		if one.Arrived, one.Left = r.isAt(ctx, &doc, root, doc.Target); one.Arrived || one.Left != nil {
			return one, nil
		}
	}
	one.Found, err = finder{r.Store, r.Sorted, r.Folders, r.DocumentTypes}.find(ctx, &doc, taken)
	switch {
	case err != nil:
	case one.Found != nil:
		taken[one.Found.Target] = true
	case inInbox:
	case doc.Identity.Device != doc.Inbox.Device && r.isEmptyFolder(doc.Source, inbox):
		one.Left = errFolderAway
	default:
		one.Gone = true
	}
	return one, err
}

// isEmptyFolder reports whether the nearest folder above a place in the inbox that exists,
// where something was mounted, is empty and on the inbox's own filesystem.
func (r Relocator) isEmptyFolder(source string, inbox store.Folder) bool {
	for dir := path.Dir(source); dir != "."; dir = path.Dir(dir) {
		if folder, err := folderAt(filepath.Join(r.Inbox, dir)); err == nil {
			return folder.Device == inbox.Device && !hasEntries(folder.Path)
		}
	}
	return false
}

// hasEntries reports whether a folder has anything in it that docusort did not make there.
func hasEntries(dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".docusort-lock") && e.Name() != "lost+found" {
			return true
		}
	}
	return false
}

// checkFolders refuses to conclude that documents are gone from folders that may not be
// mounted.
func (r Relocator) checkFolders(ctx context.Context, gone int) error {
	if !hasEntries(r.Inbox) {
		return fmt.Errorf("%s is empty, and %d documents would be gone; is it mounted? "+
			"If it is the right folder, put any file into it first", r.Inbox, gone)
	}
	finished, err := r.Store.Finished(ctx, time.Time{})
	if err != nil || finished[store.Filed]+finished[store.Review] == 0 || hasEntries(r.Sorted) {
		return err
	}
	return fmt.Errorf("%s is empty or missing, although documents were filed, and %d documents would be gone; is it mounted?", r.Sorted, gone)
}

// Apply stores what a plan concluded. A document that changed since is left as it is.
func (r Relocator) Apply(ctx context.Context, plan []Relocation) error {
	inbox, err := folderAt(r.Inbox)
	if err != nil {
		return err
	}
	for _, one := range plan {
		doc := &one.Document
		switch {
		case one.Left != nil, one.Arrived:
			continue
		case one.Found != nil:
			err = r.Store.Found(ctx, doc.ID, *one.Found)
		case one.Gone:
			err = r.Store.Gone(ctx, doc.ID, "in neither folder when the inbox was moved", doc.Phase)
		case doc.Inbox != inbox:
			err = r.Store.Relocate(ctx, doc.ID, inbox)
		}
		if err != nil && !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return nil
}
