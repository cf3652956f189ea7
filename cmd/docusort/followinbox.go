package main

import (
	"context"
	"slices"
	"time"

	"docusort/store"
	"docusort/watcher"
)

// lookAgain is when to look again at an inbox that is missing or another one, or to record
// again what could not be recorded.
const lookAgain = 5 * time.Second

// followInbox has the pipeline look whether the inbox is there, locks one that appears only
// now, and records which of its files are not taken, whenever the watcher tells of a change.
func (d *daemon) followInbox(ctx context.Context) error {
	var recorded []watcher.Left
	for ctx.Err() == nil {
		var again <-chan time.Time
		if d.inboxLock == nil {
			var err error
			if d.inboxLock, err = lockInbox(d.settings, d.log); err != nil {
				return err
			}
		}
		if d.pipeline.CheckInbox() {
			again = time.After(lookAgain)
		}
		if left := d.watcher.NotTaken(); !slices.Equal(left, recorded) {
			var files []store.NotTaken
			for _, l := range left {
				files = append(files, store.NotTaken(l))
			}
			if err := d.store.SetNotTaken(ctx, files); err == nil {
				recorded = left
			} else {
				d.log.Debug("the files that are not taken could not be recorded", "err", err)
				again = time.After(lookAgain)
			}
		}
		select {
		case <-d.watcher.Changed():
		case <-again:
		case <-ctx.Done():
		}
	}
	return nil
}
