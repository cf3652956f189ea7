package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"docusort/pipeline/filing"
	"docusort/store"
)

// sweepAll looks at every rescan for waiting documents whose file was removed from the
// inbox, so that the report does not list them during a hold. It leaves alone documents
// that have a job: the file may have been moved within the inbox, and its answer is paid
// for. It follows what persons did by hand with what was put aside, and finishes their
// decisions. It also ends pauses that a clock which was set back has made endless, and logs what
// there was of folders that let no document go.
func (p *Pipeline) sweepAll(ctx context.Context) error {
	f := follower{p: p}
	for {
		p.locked.count(p.Logger)
		n, err := write(ctx, p, func(ctx context.Context) (int64, error) {
			return p.Store.ShortenPauses(ctx, max(p.Rescan, longestPause)+time.Minute)
		})
		if n > 0 {
			p.wakeAll()
		}
		if err = cmp.Or(err, p.finishDecisions(ctx), p.sweep(ctx)); err != nil {
			return err
		}
		again, err := f.follow(ctx)
		if err != nil {
			return err
		}
		pause := p.Rescan
		if !again.IsZero() {
			pause = min(pause, time.Until(again))
		}
		select {
		case <-time.After(pause):
		case <-p.sweepNow:
			f.all, f.until = time.Time{}, time.Time{} // a person asks for a look
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finishDecisions finishes decisions of persons whose command was killed.
func (p *Pipeline) finishDecisions(ctx context.Context) error {
	all, err := read(ctx, p, p.Store.Decisions)
	if err != nil || len(all) == 0 || p.Store.SharedNow() {
		return err // a command is at work
	}
	if err := p.refiler().Finish(ctx, all); err != nil {
		p.Logger.Warn("a person's decision is not carried out yet; will try again", "err", err)
	}
	return nil
}

// sweepBatch is how many documents are read at once.
const sweepBatch = 512

func (p *Pipeline) sweep(ctx context.Context) error {
	for after := int64(0); ; {
		docs, err := read(ctx, p, func(ctx context.Context) ([]store.Document, error) {
			return p.Store.Waiting(ctx, after, sweepBatch)
		})
		if err != nil || len(docs) == 0 {
			return err
		}
		after = docs[len(docs)-1].ID
		for i := range docs {
			doc := &docs[i]
			if doc.StaysAt != "" {
				p.dispatchNow.wake() // a command asked about it anew
			}
			if gone, err := p.isGone(doc); err != nil || !gone {
				continue
			}
			p.notStored(doc, p.missing(ctx, doc, p.whyGone(doc, "submitted")))
		}
	}
}

// markStuck marks documents as stuck, each minute, that have been in trouble of their own
// for StuckAfter.
func (p *Pipeline) markStuck(ctx context.Context) error {
	for sleep(ctx, min(time.Minute, max(p.StuckAfter, time.Second))) {
		n, err := write(ctx, p, func(ctx context.Context) (int64, error) {
			return p.Store.MarkStuck(ctx, time.Now().Add(-p.StuckAfter))
		})
		if err != nil {
			return err
		}
		if n > 0 {
			p.Logger.Warn("documents are stuck; docusort report says why", "documents", n)
		}
	}
	return ctx.Err()
}

// pruneBatch is how many rows are removed in one transaction: few, because all other
// changes wait for it.
const pruneBatch = 200

// pruneAll removes the rows of finished documents that are older than KeepHistory.
// The files stay where they are.
func (p *Pipeline) pruneAll(ctx context.Context) error {
	for removed := int64(0); p.KeepHistory > 0; {
		before := time.Now().Add(-p.KeepHistory)
		n, err := write(ctx, p, func(ctx context.Context) (int64, error) {
			return p.Store.Prune(ctx, before, pruneBatch)
		})
		if err != nil {
			return fmt.Errorf("remove old documents from the database: %w", err)
		}
		removed += n
		wait := 20 * time.Millisecond // for these other changes
		if n < pruneBatch {
			if removed > 0 {
				p.Logger.Info("old documents removed from the database", "documents", removed)
			}
			removed, wait = 0, min(time.Hour, p.KeepHistory)
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
	return nil
}

// emptyFor is how long a folder stays empty before it is removed: whoever made it may be
// about to use it again.
const emptyFor = time.Minute

// wasEmptied notes that something was moved out of a folder, or removed from it. One right
// in the inbox stays: a person or a scanner may have made it for good. So does a mount
// point, also when it is unmounted.
func (f *filer) wasEmptied(dir string, at time.Time) {
	above := path.Dir(dir)
	if dir == "." || above == "." {
		return
	}
	folder, err := folderAt(filepath.Join(f.p.Inbox, dir))
	parent, err2 := folderAt(filepath.Join(f.p.Inbox, above))
	if err == nil && err2 == nil && folder.Device == parent.Device {
		f.emptied[dir] = at.Add(emptyFor)
	}
}

// removeEmptied removes the folders of the inbox that docusort emptied, once they have
// been empty for a minute, and returns when to look again; zero: there are no more.
func (f *filer) removeEmptied() (again time.Time) {
	now := time.Now()
	for dir, due := range f.emptied {
		if due.After(now) {
			if again.IsZero() || due.Before(again) {
				again = due
			}
			continue
		}
		delete(f.emptied, dir)
		removed, err := filing.RemoveEmptyFolder(f.p.Inbox, dir)
		if err != nil {
			f.p.Logger.Debug("empty folder stays", "path", dir, "err", err)
		}
		if removed {
			f.p.Logger.Debug("empty folder removed", "path", dir)
			f.wasEmptied(path.Dir(dir), now)
		}
	}
	if soonest := now.Add(time.Second); len(f.emptied) > 0 && again.Before(soonest) {
		return soonest
	}
	return again
}

// emptiedBefore finds the folders that an earlier run emptied and had no time to remove:
// those of the documents that it moved last, and the folders above them.
func (f *filer) emptiedBefore(ctx context.Context) error {
	_, err := read(ctx, f.p, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, f.p.Store.LastMoved(ctx, 2*emptyFor, func(source string, finished time.Time) {
			for dir := path.Dir(source); dir != "."; dir = path.Dir(dir) {
				f.wasEmptied(dir, finished)
				finished = time.Now()
			}
		})
	})
	if err != nil {
		return fmt.Errorf("read which folders were emptied: %w", err)
	}
	return nil
}
