package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// follower finds out what persons did by hand with documents in _review and _failed. Such
// a document is filed under the type of the folder that its file was moved to; where the
// file is nowhere beneath sorted, and not in the inbox, the document is gone. The file is
// recognised by its content or, changed, as the very file that was seen at its place: a
// name says nothing, because names come again. A conclusion is drawn once two looks, some time apart, came to it. A rescan costs a look at the times
// of these folders, however many documents lie in them and beneath sorted.
type follower struct {
	p    *Pipeline
	seen map[string]time.Time // folders that had all their documents, with their times then
	all  time.Time            // when to look at the documents whatever these times say
	left map[int64]sighting   // documents whose files have left
	// Files that were last seen at the places of documents, where these are not those that
	// were admitted: they were copied there, or a program saved them anew.
	saved     map[int64]filing.Identity
	namesakes map[int64]namesake
	// Documents that were not found where not everything could be looked at, looks in a row
	// at which there were any, and when to look for them again.
	doubtful map[int64]bool
	unclear  int
	until    time.Time
}

// sighting is where the file of a document was found, relative to sorted; "": nowhere.
type sighting struct {
	place string
	since time.Time
}

const (
	lookAtAll   = time.Hour       // not every filesystem keeps the times of its folders
	coarseTimes = 2 * time.Second // a folder that changed this recently may change again with the same time
	mostLeft    = 256             // documents that are searched for at once
	// Documents of which it is remembered that they were not found: the others are followed
	// without a pause.
	mostDoubtful = 16384
	mostSaved    = 16384
)

// follow looks once, and returns when to look again; zero: at the next rescan.
func (f *follower) follow(ctx context.Context) (again time.Time, err error) {
	now := time.Now()
	folders, same := f.folders(now)
	if same && now.Before(f.all) {
		return time.Time{}, nil
	}
	if !now.Before(f.until) {
		f.doubtful = make(map[int64]bool)
	}
	docs, err := f.missing(ctx)
	if err != nil || len(docs) == 0 {
		f.seen, f.left, f.all = folders, nil, now.Add(lookAtAll)
		if len(f.doubtful) == 0 {
			f.unclear = 0
		} else if f.until.Before(f.all) {
			f.all = f.until
		}
		return time.Time{}, err
	}
	f.seen = nil
	found, certain := f.search(ctx, docs)
	before := f.left
	f.left = make(map[int64]sighting)
	for i := range docs {
		doc := &docs[i]
		is := sighting{found[doc.ID].rel, now}
		if was, ok := before[doc.ID]; ok && was.place == is.place {
			is.since = was.since
		}
		switch {
		case is.place == "" && !certain: // it may be where we cannot look
			if len(f.doubtful) < mostDoubtful {
				f.doubtful[doc.ID] = true
			}
		case now.Sub(is.since) < f.p.Settle:
			f.left[doc.ID] = is
			again = now.Add(f.p.Settle)
		default:
			f.p.notStored(doc, f.conclude(ctx, doc, found[doc.ID]))
			delete(f.saved, doc.ID)
		}
	}
	if certain {
		f.until = time.Time{}
	} else if !now.Before(f.until) {
		f.unclear++
		f.until = now.Add(backoff(f.unclear, longestPause))
	}
	return again, ctx.Err()
}

// conclude stores what became of a document that has left.
func (f *follower) conclude(ctx context.Context, doc *store.Document, is located) error {
	log := f.p.logOf(doc)
	if is.rel == "" {
		reason, other := f.instead(ctx, doc)
		err := removeSidecar(doc)
		if err == nil {
			err = f.p.save(ctx, func(ctx context.Context) error { return f.p.Store.AsideGone(ctx, doc.ID, doc.Target, reason) })
		}
		if err == nil {
			if other != "" {
				log = log.With("seen", other)
			}
			log.Info("document is gone", "reason", "taken out of "+path.Dir(doc.Target)+" by hand"+reason)
		}
		return err
	}
	dir := path.Dir(is.rel)
	if top, _, _ := strings.Cut(is.rel, "/"); dir == "." || top == "_review" || top == "_failed" { // no type's folder
		old := *doc
		doc.Target = is.rel
		err := errors.Join(f.p.sidecars().write(doc), removeSidecar(&old))
		if err != nil {
			return err
		}
		return f.p.save(ctx, func(ctx context.Context) error { return f.p.Store.AsideMoved(ctx, doc.ID, old.Target, is.rel) })
	}
	d := store.Decision{ID: doc.ID, Type: f.p.finder().typeOf(doc, f.p.Folders.TypeName(dir)...), Sorted: f.p.Sorted, Target: is.rel, Identity: store.Identity(is.id), SHA256: is.sha256}
	err := f.p.save(ctx, func(ctx context.Context) error { return f.p.Store.Deciding(ctx, d) })
	if err == nil {
		f.p.OnStep(DecisionStored)
		err = f.p.refiler().finish(ctx, doc, d)
	}
	if err == nil {
		log.Info("document was filed by hand", "type", d.Type, "target", d.Target, "changed", !bytes.Equal(d.SHA256, doc.SHA256))
	}
	return err
}

// folders returns the folders that documents are put aside into, with their times, and
// whether those are what they were when all documents were there.
func (f *follower) folders(now time.Time) (map[string]time.Time, bool) {
	all := make(map[string]time.Time)
	add := func(rel string) bool {
		info, err := os.Stat(filepath.Join(f.p.Sorted, rel))
		if err == nil && info.IsDir() && now.Sub(info.ModTime()) > coarseTimes {
			all[rel] = info.ModTime()
		} else if err == nil && info.IsDir() {
			all[rel] = time.Time{} // it may change again, and its time stay
		}
		return err == nil
	}
	add("_failed")
	if add("_review") {
		entries, _ := os.ReadDir(filepath.Join(f.p.Sorted, "_review"))
		for _, e := range entries {
			add("_review/" + e.Name())
		}
	}
	for _, at := range all {
		if at.IsZero() {
			return all, false
		}
	}
	return all, f.seen != nil && maps.Equal(all, f.seen)
}

// errEnough ends a query whose further rows are not needed.
var errEnough = errors.New("enough")

// isDangling reports whether a path is a link to what is not there: it may not be mounted.
func isDangling(path string) bool {
	_, notThere := os.Stat(path)
	_, noLink := os.Readlink(path)
	return notThere != nil && noLink == nil
}

// missing returns documents whose files have left the folder that they were put into, also
// if a person removed that folder. Sorted must be the folder that they were put into: it
// may be the place of a filesystem that is not mounted.
func (f *follower) missing(ctx context.Context) (docs []store.Document, err error) {
	root, err := folderAt(f.p.Sorted)
	if err != nil {
		return nil, nil
	}
	var ids, moved []int64
	before := f.saved
	_, err = read(ctx, f.p, func(ctx context.Context) (struct{}, error) {
		ids, moved, f.saved = nil, nil, make(map[int64]filing.Identity)
		return struct{}{}, f.p.Store.Aside(ctx, f.p.Sorted, func(d store.Aside) error {
			top, _, _ := strings.Cut(d.Target, "/")
			info, err := os.Lstat(filepath.Join(f.p.Sorted, d.Target))
			f.note(d, info, before)
			sameRoot := d.Root.Device == root.Device || d.Root.Inode == root.Inode
			switch {
			case f.doubtful[d.ID]:
			case err == nil && info.Mode().IsRegular():
				if !sameRoot && len(moved) < mostLeft {
					moved = append(moved, d.ID)
				}
			case sameRoot && (err == nil || errors.Is(err, fs.ErrNotExist)) && !isDangling(filepath.Join(f.p.Sorted, top)):
				ids = append(ids, d.ID)
			}
			if len(ids) >= mostLeft {
				return errEnough
			}
			return nil
		})
	})
	if err != nil {
		maps.Copy(f.saved, before) // not all were looked at
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if len(moved) > 0 { // sorted was copied to another disk, with these documents
		if err := f.p.save(ctx, func(ctx context.Context) error { return f.p.Store.AsideIn(ctx, moved, root) }); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		doc, err := read(ctx, f.p, func(ctx context.Context) (store.Document, error) { return f.p.Store.Document(ctx, id) })
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}
