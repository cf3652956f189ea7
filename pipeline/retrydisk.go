package pipeline

import (
	"context"
	"fmt"
	"time"

	"docusort/store"
)

// The names of our disks, for the gate.
const (
	databaseWrite = "database"
	databaseRead  = "database read"
	sortedDisk    = "sorted"
)

// longestDiskPause is the longest pause between two tries while a disk fails.
const longestDiskPause = time.Minute

// write runs a transition until it is stored. While the disk is full or broken it tries
// again, and nothing is submitted. Any other error, or the end of ctx, ends it.
func write[T any](ctx context.Context, p *Pipeline, do func(context.Context) (T, error)) (T, error) {
	return retryDisk(ctx, p, databaseWrite, do)
}

// save is write for a transition that returns nothing.
func (p *Pipeline) save(ctx context.Context, do func(context.Context) error) error {
	_, err := write(ctx, p, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// read runs a query until it is answered, and tries again as write does.
func read[T any](ctx context.Context, p *Pipeline, do func(context.Context) (T, error)) (T, error) {
	return retryDisk(ctx, p, databaseRead, do)
}

func retryDisk[T any](ctx context.Context, p *Pipeline, disk string, do func(context.Context) (T, error)) (T, error) {
	for n := 1; ; n++ {
		value, err := do(ctx)
		if !store.DiskTrouble(err) {
			p.gate.HoldDisk(disk, "")
			return value, err
		}
		p.gate.HoldDisk(disk, err.Error())
		p.diskWait.Add(1)
		woken := sleep(ctx, backoff(n, longestDiskPause))
		p.diskWait.Add(-1)
		if !woken {
			return value, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
