package pipeline

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// errSorted marks errors of the folder that documents are sorted into.
var errSorted = errors.New("the sorted documents' folder")

// failed decides what becomes of documents that could not be moved. An error of the disk
// keeps all others from being moved, for a pause, where none was; else it is the document's
// own. A document that does not fit is a full disk all the same: nothing is submitted.
func (f *filer) failed(ctx context.Context, all []*moving, anyMoved bool) {
	disk := slices.IndexFunc(all, func(m *moving) bool { return m.err != nil && f.isDisk(m) })
	held := disk >= 0 && !anyMoved
	for _, m := range all {
		delete(f.unfit, m.doc.ID)
		if m.err != nil && f.isDisk(m) && isFull(m.err) {
			f.unfit[m.doc.ID] = true
		}
	}
	switch {
	case held:
		if !time.Now().Before(f.until) { // copies that fail together count once
			f.held++
			f.until = time.Now().Add(backoff(f.held, longestDiskPause))
		}
	case anyMoved:
		f.held, f.until = 0, time.Time{}
	}
	switch {
	case disk >= 0 && (held || len(f.unfit) > 0):
		f.p.gate.HoldDisk(sortedDisk, moveReason(all[disk].err))
	case f.held == 0 && len(f.unfit) == 0:
		f.p.gate.HoldDisk(sortedDisk, "")
	}
	for _, m := range all {
		if m.err == nil {
			continue
		}
		retry := time.Time{} // with the others, after the hold's pause
		if !held {
			retry = time.Now().Add(backoff(m.doc.Failures+1, max(f.p.Rescan, firstPause)))
		}
		f.setError(ctx, m, retry)
	}
}

// isDisk reports whether the error of a document may be the sorted disk's: not where an
// earlier run chose a target in another sorted folder, nor where the inbox is missing.
func (f *filer) isDisk(m *moving) bool {
	if m.doc.Sorted != "" && m.doc.Sorted != f.p.Sorted {
		return false
	}
	if _, err := folderAt(f.p.Inbox); err != nil {
		return false
	}
	return filing.DiskTrouble(m.err) || errors.Is(m.err, errSorted) && filing.Writable(f.p.Sorted) != nil
}

// forgetGone ends the hold of the disk unless a document still waits that does not fit.
func (f *filer) forgetGone(ctx context.Context) error {
	for id := range f.unfit {
		doc, err := read(ctx, f.p, func(ctx context.Context) (store.Document, error) { return f.p.Store.Document(ctx, id) })
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if doc.Phase != store.PhaseFile {
			delete(f.unfit, id)
		}
	}
	if len(f.unfit) == 0 {
		f.p.gate.HoldDisk(sortedDisk, "")
	}
	return nil
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// moveReason returns why a document could not be moved. That of a disk has no path, so that
// equal reasons are counted together.
func moveReason(err error) string {
	if errno := syscall.Errno(0); filing.DiskTrouble(err) && errors.As(err, &errno) {
		return "cannot be moved: " + errno.Error()
	}
	return err.Error()
}

// setError stores why a document could not be moved, and when to try again.
func (f *filer) setError(ctx context.Context, m *moving, retry time.Time) {
	d, err := m.doc, m.err
	if ctx.Err() != nil {
		return // the next run resumes the move
	}
	switch {
	case errors.Is(err, filing.ErrChanged):
		f.p.notStored(d, f.p.missing(ctx, d, "changed in the inbox before it was filed"))
		return
	case errors.Is(err, fs.ErrNotExist):
		gone, cause := f.p.isGone(d)
		if gone {
			f.p.notStored(d, f.p.missing(ctx, d, f.p.whyGone(d, "filed")))
			return
		}
		if cause != nil {
			err = cause
		}
	}
	reason := moveReason(err)
	isNew := d.Failures == 0 || d.Outcome != store.Failed && d.Error != reason
	if isNew && (!errors.Is(err, fs.ErrPermission) || f.p.locked.first(d.Source)) {
		f.p.logOf(d).Warn("document cannot be moved; will try again", "err", err)
	}
	f.p.notStored(d, f.p.save(ctx, func(ctx context.Context) error {
		return f.p.Store.SetMoveError(ctx, d.ID, reason, retry)
	}))
}
