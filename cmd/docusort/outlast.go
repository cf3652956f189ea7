package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/store"
)

// outlast does at the start what needs the disk of the record. A daemon waits for
// a disk that is full as it does later: nobody starts it again when there is room,
// because a service manager has given up by then. Readers of the record are told
// what it waits for.
func (d *daemon) outlast(ctx context.Context, do func() error) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := do()
		if !store.DiskTrouble(err) || !d.patient {
			return err
		}
		if pause == time.Second {
			d.log.Error("the database cannot be used now; waiting for its disk", "err", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// stoppedWaiting returns err, or nil where all it says is that a daemon was
// stopped while it waited for a disk.
func stoppedWaiting(ctx context.Context, err error) error {
	if store.DiskTrouble(err) && errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}
