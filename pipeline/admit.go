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

// admitAll admits the files that the inbox gives, a few at a time because
// hashing is work for the processor. It returns when there are no more.
func (p *Pipeline) admitAll(ctx context.Context) error {
	var g errgroup.Group
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
	if err := g.Wait(); err != nil {
		return err
	}
	close(p.noMoreFiles)
	return nil
}

// admit stores one file of the inbox as a document. What lies in the way of it
// is stored too, or left to the next look at the inbox; only an end of the whole
// work is returned.
func (p *Pipeline) admit(ctx context.Context, path string) error {
	a, err := p.examine(path)
	// Whether a document of the content failed is found out on the way; one
	// without a hash is not known by its content.
	if a.SeekFailed = a.SHA256 != nil; err == nil && !a.SeekFailed {
		a.Continues, err = p.returned(ctx, &a)
	}
	if err != nil {
		p.log.Debug("not taken yet", "path", path, "err", err)
		return nil
	}
	doc, err := p.record(ctx, a)
	if errors.Is(err, store.ErrFailedAlike) {
		a.SeekFailed = false
		if a.Continues, err = p.returned(ctx, &a); err != nil {
			p.log.Debug("not taken yet", "path", path, "err", err)
			return nil
		}
		doc, err = p.record(ctx, a)
	}
	switch {
	case errors.Is(err, store.ErrMoving):
		p.log.Debug("not taken yet", "path", path, "err", err)
		return nil
	case err != nil:
		return fmt.Errorf("admit %q: %w", path, err)
	}
	p.logAdmitted(&doc)
	if doc.Outcome != "" {
		p.fileWake.wake()
	} else {
		p.submitWake.wake()
	}
	if doc.Replaced != 0 {
		p.submitWake.wake() // one that waited for the old content may take its place
	}
	return nil
}

// record stores what was found.
func (p *Pipeline) record(ctx context.Context, a store.Admission) (doc store.Admitted, err error) {
	err = p.durable(ctx, func(ctx context.Context) (err error) {
		doc, err = p.Store.Admit(ctx, a)
		return err
	})
	return doc, err
}

func (p *Pipeline) logAdmitted(doc *store.Admitted) {
	if doc.Replaced != 0 {
		p.log.Info("document is gone", "doc", doc.Replaced, "path", doc.Source, "reason", "its content changed")
	}
	log := p.log.With("doc", doc.ID, "path", doc.Source)
	if doc.Continued {
		log.Info("document that failed is back")
	}
	if !doc.New {
		return
	}
	switch {
	case doc.Blocked():
		log.Warn("document cannot be taken", "err", doc.Error)
	case doc.Outcome == store.Failed:
		log.Warn("document cannot be identified", "err", doc.Error)
	case doc.Reused:
		log.Info("document is identical to an identified one", "type", doc.Type)
	case doc.WaitsFor != 0:
		log.Info("document is identical to one under way", "other", doc.WaitsFor)
	default:
		log.Info("document waits", "format", doc.ContentType, "size", doc.Identity.Size)
	}
}

// examine finds out all that is known of a file before the service is asked. An
// error says that this is not the moment, and that looking again later will do.
func (p *Pipeline) examine(path string) (store.Admission, error) {
	a := store.Admission{
		Source: path, Options: p.DocumentTypes, ReuseWithin: p.ReuseResults, Outcome: p.outcome,
		ExaminedAt: time.Now(),
	}
	doc, err := filing.Examine(p.Inbox, path)
	if errors.Is(err, fs.ErrPermission) {
		return p.blocked(a, fmt.Sprintf("not readable: %v; give the user that docusort runs as the right to read it", err))
	}
	if err != nil {
		return a, err
	}
	defer doc.Close()
	a.Inbox = store.Folder{Path: p.Inbox, Device: doc.RootDevice, Inode: doc.RootInode}
	a.Identity = store.Identity(doc.Identity)
	if doc.Fixed != nil {
		a.Blocked = doc.Fixed.Error()
		return a, nil
	}
	return p.read(a, doc.Document)
}

// blocked describes a file that could not even be opened.
func (p *Pipeline) blocked(a store.Admission, reason string) (store.Admission, error) {
	inbox, err := folderAt(p.Inbox)
	if err != nil {
		return a, err
	}
	a.Inbox = inbox
	id, err := filing.Stat(p.Inbox, a.Source)
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return a, err
	}
	a.Identity, a.Blocked = store.Identity(id), reason // no identity where not even the folder can be searched
	return a, nil
}

// read looks at the content.
func (p *Pipeline) read(a store.Admission, doc *filing.Document) (store.Admission, error) {
	switch size := a.Identity.Size; {
	case size == 0:
		a.Failure = "the file is empty"
		return a, nil
	case size > docutray.MaxFileSize:
		a.Failure = fmt.Sprintf("larger than the %d MB that the service takes", docutray.MaxFileSize>>20)
		return a, nil
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	head := (*buf)[:min(int64(len(*buf)), a.Identity.Size)] // most often all of it
	if _, err := io.ReadFull(doc, head); err != nil {
		return p.unreadable(a, err)
	}
	var err error
	if a.ContentType, err = doc.ContentType(); err != nil {
		return p.unreadable(a, err)
	}
	if a.ContentType == "" {
		a.Failure = "unsupported format (JPEG, PNG, GIF, BMP, WebP and PDF can be identified)"
	}
	hash, sum := sha256.New(), p.sums.new()
	both := io.MultiWriter(hash, sum)
	_, _ = both.Write(head) // hashes take everything
	if int64(len(head)) < a.Identity.Size {
		if _, err := io.CopyBuffer(both, doc, *buf); err != nil {
			return p.unreadable(a, err)
		}
	}
	a.SHA256 = hash.Sum(nil)
	p.sums.learn(a.SHA256, sum.Sum(nil))
	return a, doc.Unchanged()
}

// unreadable describes a file that can be opened and not be read: a bad spot on
// the disk, most likely.
func (p *Pipeline) unreadable(a store.Admission, err error) (store.Admission, error) {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return a, filing.ErrChanged
	}
	a.SHA256, a.ContentType, a.Failure = nil, "", ""
	a.Blocked = fmt.Sprintf("cannot be read: %v", err)
	return a, nil
}

// copyBuffers are used for every pass over a document's bytes.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// outcome says what an answer of this confidence leads to.
func (p *Pipeline) outcome(confidence float64) store.State {
	if confidence < p.MinConfidence {
		return store.Review
	}
	return store.Filed
}
