package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"docusort/pipeline/filing"
	"docusort/store"
)

// located is a file beneath sorted that is a document's.
type located struct {
	rel    string
	id     filing.Identity
	sha256 []byte
}

// search looks for the files of documents beneath sorted, first by their names, then by
// their contents. certain: what was not found is neither there nor in the inbox.
func (f *follower) search(ctx context.Context, docs []store.Document) (found map[int64]located, certain bool) {
	found, certain = make(map[int64]located), true
	f.namesakes = make(map[int64]namesake)
	given := make(map[string]bool) // places
	left := func() (all []*store.Document) {
		for i := range docs {
			if _, is := found[docs[i].ID]; !is {
				all = append(all, &docs[i])
			}
		}
		return all
	}
	for _, byName := range []bool{true, false} {
		rest := left()
		if len(rest) == 0 {
			return found, true
		}
		certain = f.walk(ctx, f.p.Sorted, func(rel string, e fs.DirEntry) error {
			for _, doc := range rest {
				if _, is := found[doc.ID]; is || given[rel] || byName && e.Name() != path.Base(doc.Target) {
					continue
				}
				is, err := f.match(ctx, doc, f.p.Sorted, rel, e)
				if err != nil {
					return err
				}
				if is.rel != "" {
					found[doc.ID], given[rel] = is, true
				} else if byName {
					f.noteNamesake(doc, rel, e)
				}
			}
			return nil
		})
	}
	rest := left()
	looked := f.walk(ctx, f.p.Inbox, func(rel string, e fs.DirEntry) error {
		for _, doc := range rest {
			is, err := f.match(ctx, doc, f.p.Inbox, rel, e)
			if is.rel != "" {
				err = errInInbox
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, certain && looked
}

// errInInbox says that a document may have been put back: whoever admits it finds out.
var errInInbox = errors.New("it is in the inbox")

// match returns the file at a place if it is a document's: of its content, or the very file
// whatever was made of it. A place of another document is that one's.
func (f *follower) match(ctx context.Context, doc *store.Document, root, rel string, e fs.DirEntry) (is located, err error) {
	was, saved := f.saved[doc.ID]
	if !saved {
		was = filing.Identity(doc.Identity)
	}
	info, err := e.Info()
	if now, _ := filing.IdentityOf(info); err != nil || now.Size != doc.Identity.Size && now.Inode != was.Inode {
		return located{}, nil
	}
	itself := false
	id, sum, err := readFile(root, rel, func(file *os.File, id filing.Identity) bool {
		itself = was.Still(file)
		return itself || id.Size == doc.Identity.Size
	})
	switch {
	case errors.Is(err, ErrMoved), err == nil && sum == nil:
		return located{}, nil // it was moved or changed meanwhile
	case err != nil:
		return located{}, err
	case itself:
	case doc.SHA256 == nil && (id.Inode != doc.Identity.Inode || id.ModTime != doc.Identity.ModTime):
		return located{}, nil
	case doc.SHA256 != nil && !bytes.Equal(sum, doc.SHA256):
		return located{}, nil
	}
	others, err := read(ctx, f.p, func(ctx context.Context) (bool, error) {
		return f.p.Store.HasPlace(ctx, doc.ID, sum, root, rel)
	})
	if err != nil || others {
		return located{}, err
	}
	return located{rel, id, sum}, nil
}

// walk calls see for each regular file beneath a folder, and reports whether it saw them
// all without an error.
func (f *follower) walk(ctx context.Context, root string, see func(rel string, e fs.DirEntry) error) (whole bool) {
	whole = true
	root += "/" // which may be a link
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			whole = false
			return fs.SkipAll
		case err != nil:
		case e.IsDir() && path != root && f.ignored(e.Name()):
			return fs.SkipDir // such as one for what is deleted through a share
		case e.Type().IsRegular() && !filing.IsTemporary(e.Name()):
			err = see(strings.TrimPrefix(path, root), e)
		}
		whole = whole && err == nil
		return nil
	})
	return whole
}

// ignored reports whether a folder is left alone.
func (f *follower) ignored(name string) bool {
	for _, pattern := range f.p.Ignore {
		if is, _ := path.Match(strings.ToLower(pattern), strings.ToLower(name)); is {
			return true
		}
	}
	return strings.HasPrefix(name, ".")
}
