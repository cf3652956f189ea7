package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// admitAll admits the files that the watcher gives, some at a time, because hashing takes
// the processor. It returns once there are no more.
func (p *Pipeline) admitAll(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range max(p.Workers, 1) {
		g.Go(func() error {
			for {
				select {
				case path, more := <-p.Files:
					if !more {
						return nil
					}
					if err := p.admit(ctx, path); err != nil {
						return err
					}
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
	}
	err := g.Wait()
	if err == nil {
		close(p.admitted)
	}
	return err
}

// admit stores one file of the inbox as a document. What prevents that is stored too,
// or left for the next scan; the error is one that ends all work.
func (p *Pipeline) admit(ctx context.Context, path string) error {
	later := func(err error) error {
		p.Logger.Debug("left for the next scan", "path", path, "err", err)
		return nil
	}
	a, err := p.examine(path)
	if err != nil {
		return later(err)
	}
	if a.AsideMatches, err = p.asideMatches(ctx, &a); err != nil {
		return later(err)
	}
	doc, err := write(ctx, p, func(ctx context.Context) (store.Admitted, error) { return p.Store.Admit(ctx, a) })
	if errors.Is(err, store.ErrMoving) {
		return later(err)
	}
	if err != nil {
		return fmt.Errorf("admit %q: %w", path, err)
	}
	p.logAdmitted(&doc)
	p.replaced(ctx, doc.Replaced)
	if doc.Outcome != "" {
		p.fileNow.wake()
	} else {
		p.gate.Untried(true)
	}
	p.dispatchNow.wake() // also for one that waited for the document that was replaced
	return nil
}

// replaced follows the end of a document, if it is one, at whose place other content lies:
// it may have been filed before the record was restored.
func (p *Pipeline) replaced(ctx context.Context, id int64) {
	if id == 0 {
		return
	}
	p.gate.Forget(id)
	old, err := read(ctx, p, func(ctx context.Context) (store.Document, error) { return p.Store.Document(ctx, id) })
	if err == nil {
		err = p.missing(ctx, &old, "")
	}
	p.notStored(&old, err)
}

func (p *Pipeline) logAdmitted(doc *store.Admitted) {
	if doc.Replaced != 0 {
		p.Logger.Info("document is gone", "doc", doc.Replaced, "path", doc.Source, "reason", "its content changed")
	}
	log := p.logOf(&doc.Document)
	switch {
	case doc.Continued && doc.State == store.Identified:
		log.Info("document is back in the inbox; its answer is known (retry --again asks anew)",
			"type", doc.Type, "confidence", doc.Confidence, "decided_by", doc.DecidedBy(), "state", doc.Outcome)
	case doc.Continued:
		log.Info("document is back in the inbox")
	}
	if !doc.New {
		return
	}
	switch {
	case doc.Blocked():
		if p.locked.first(doc.Source) {
			log.Warn("document cannot be admitted", "err", doc.Error)
		}
	case doc.Outcome == store.Failed:
		log.Warn("document cannot be identified", "err", doc.Error)
	case doc.Reused:
		log.Info("document is identical to an identified one", "type", doc.Type)
	default:
		log.Debug("document admitted", "format", doc.ContentType, "size", doc.Identity.Size)
	}
}

// examine finds out all that can be known of a file without the service. An error means
// that the next scan should look at the file again.
func (p *Pipeline) examine(path string) (store.Admission, error) {
	a := store.Admission{
		Source: path, SubmitRequest: p.request(), ExaminedAt: time.Now(),
	}
	doc, err := filing.Examine(p.Inbox, path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return p.blocked(a, fmt.Sprintf("not readable: %v; give the user that docusort runs as the right to read it", err))
	case passes(err):
		return a, err
	case err != nil: // most likely a disk or file server that is failing
		return p.blocked(a, fmt.Sprintf("cannot be opened: %v", err))
	}
	defer doc.Close()
	a.Inbox = store.Folder{Path: p.Inbox, Device: doc.RootDevice, Inode: doc.RootInode}
	a.Identity = store.Identity(doc.Identity)
	if doc.Fixed != nil {
		a.Blocked = doc.Fixed.Error()
		return a, nil
	}
	switch size := a.Identity.Size; {
	case size == 0:
		a.Failure = "the file is empty"
		return a, nil
	case size > docutray.MaxFileSize:
		a.Failure = fmt.Sprintf("larger than the %d MB that the service takes", docutray.MaxFileSize>>20)
		return a, nil
	}
	err = readContent(&a, doc)
	switch {
	case errors.Is(err, filing.ErrChanged):
		return a, err
	case err != nil: // most likely a bad sector
		a.SHA256, a.ContentType, a.Failure = nil, "", ""
		a.Blocked = fmt.Sprintf("cannot be read: %v", err)
	}
	return a, nil
}

// passes reports whether an error means that the file is not there, or not as it will be.
func passes(err error) bool {
	for _, is := range []error{fs.ErrNotExist, filing.ErrNoRoot, filing.ErrNotRegular, filing.ErrNotFolder, filing.ErrBusy} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// blocked describes a file that could not even be opened.
func (p *Pipeline) blocked(a store.Admission, reason string) (store.Admission, error) {
	inbox, err := folderAt(p.Inbox)
	if err != nil {
		return a, err
	}
	a.Inbox = inbox
	id, err := filing.Stat(p.Inbox, a.Source)
	if passes(err) {
		return a, err
	}
	a.Identity, a.Blocked = store.Identity(id), reason // without an identity where it cannot be found out
	return a, nil
}

// buffers are what contents are hashed with: one would be made for each document otherwise.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// readContent finds out a document's format and hash.
func readContent(a *store.Admission, doc *filing.Document) (err error) {
	var other string
	if a.ContentType, other, err = doc.ContentType(); err != nil {
		return err
	}
	switch {
	case a.ContentType != "":
	case other != "":
		a.Failure = "unsupported format: " + other
	default:
		a.Failure = "unsupported format (JPEG, PNG, GIF, BMP, WebP and PDF can be identified)"
	}
	hash := sha256.New()
	buffer := buffers.Get().(*[]byte)
	n, err := io.CopyBuffer(hash, struct{ io.Reader }{doc}, *buffer) // a file would take another buffer
	buffers.Put(buffer)
	if err != nil {
		return err
	}
	if n != a.Identity.Size {
		return filing.ErrChanged
	}
	a.SHA256 = hash.Sum(nil)
	return doc.Unchanged()
}
