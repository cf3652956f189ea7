package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// errSorted marks errors of the folder that documents are sorted into.
var errSorted = errors.New("the sorted documents' folder")

// failed decides what becomes of documents that could not be moved. An error of the disk
// holds everything where no document was moved; otherwise it is the document's own.
func (f *filer) failed(ctx context.Context, all []*moving, anyMoved bool) {
	disk := slices.IndexFunc(all, func(m *moving) bool { return m.err != nil && f.isDisk(m) })
	held := disk >= 0 && !anyMoved
	switch {
	case held:
		f.held++
		f.until = time.Now().Add(backoff(f.held, longestDiskPause))
		f.p.gate.HoldDisk(sortedDisk, all[disk].err.Error())
	case anyMoved && f.held > 0:
		f.held, f.until = 0, time.Time{}
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
// earlier run chose a target in another sorted folder.
func (f *filer) isDisk(m *moving) bool {
	if m.doc.Sorted != "" && m.doc.Sorted != f.p.Sorted {
		return false
	}
	return filing.DiskTrouble(m.err) || errors.Is(m.err, errSorted) && filing.Writable(f.p.Sorted) != nil
}

// setError stores why a document could not be moved, and when to try again.
func (f *filer) setError(ctx context.Context, m *moving, retry time.Time) {
	d, err := m.doc, m.err
	if ctx.Err() != nil {
		return // the next run resumes the move
	}
	switch {
	case errors.Is(err, filing.ErrChanged):
		f.p.notStored(d, f.p.markGone(ctx, d, "changed in the inbox before it was filed"))
		return
	case errors.Is(err, fs.ErrNotExist):
		gone, cause := f.p.isGone(d)
		if gone {
			f.p.notStored(d, f.p.markGone(ctx, d, "removed from the inbox before it was filed"))
			return
		}
		if cause != nil {
			err = cause
		}
	}
	if d.Failures == 0 || d.Outcome != store.Failed && d.Error != err.Error() {
		f.p.logOf(d).Warn("document cannot be moved; will try again", "err", err)
	}
	f.p.notStored(d, f.p.save(ctx, func(ctx context.Context) error {
		return f.p.Store.SetMoveError(ctx, d.ID, err.Error(), retry)
	}))
}
