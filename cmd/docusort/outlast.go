package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// stoppedEarly says what a stop makes of an error of the start: nil where all that
// it says is that the daemon was stopped while it started or waited for a disk,
// errLeft where what is in the inbox was to be filed once.
func stoppedEarly(ctx context.Context, once bool, err error) error {
	switch {
	case ctx.Err() == nil || !errors.Is(err, context.Canceled) || !onlyStopped(err):
		return err
	case once:
		return fmt.Errorf("%w: it was stopped before it was done with the inbox", errLeft)
	}
	return nil
}

// onlyStopped says whether each of the errors in err is that of a stop, or of a
// disk that was waited for.
func onlyStopped(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(all.Unwrap(), func(err error) bool { return !onlyStopped(err) && !store.DiskTrouble(err) })
	}
	if inner := errors.Unwrap(err); inner != nil {
		return onlyStopped(inner)
	}
	return errors.Is(err, context.Canceled)
}
