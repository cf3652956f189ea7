package main

import (
	"context"
	"slices"
	"time"

	"docusort/store"
	"docusort/watcher"
)

// recordAgain is when to try again to record what could not be recorded.
const recordAgain = 10 * time.Second

// followInbox records which files of the inbox are not taken, whenever that changes.
func (d *daemon) followInbox(ctx context.Context) error {
	var recorded []watcher.Left
	for ctx.Err() == nil {
		var again <-chan time.Time
		if left := d.watcher.NotTaken(); !slices.Equal(left, recorded) {
			var files []store.NotTaken
			for _, l := range left {
				files = append(files, store.NotTaken(l))
			}
			if err := d.store.SetNotTaken(ctx, files); err == nil {
				recorded = left
			} else {
				d.log.Debug("the files that are not taken could not be recorded", "err", err)
				again = time.After(recordAgain)
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
