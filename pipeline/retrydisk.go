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

// longestDiskPause bounds the pauses while a disk is waited for.
const longestDiskPause = time.Minute

// write runs a transition until it is stored. It waits for a disk that is full or
// broken, while nothing new is submitted; every other error, and the end of ctx, ends
// it.
func write[T any](ctx context.Context, p *Pipeline, do func(context.Context) (T, error)) (T, error) {
	return retryDisk(ctx, p, databaseWrite, do)
}

// save is write for a transition that returns nothing.
func (p *Pipeline) save(ctx context.Context, do func(context.Context) error) error {
	_, err := write(ctx, p, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// read runs a query until it is answered, and waits as write does.
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
		woken := sleep(ctx, backoff(n, longestDiskPause, 0))
		p.diskWait.Add(-1)
		if !woken {
			return value, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// awaitDamage ends the work where the database turns out to be damaged: what is paid
// for might not be remembered.
func (p *Pipeline) awaitDamage(ctx context.Context) error {
	if err := p.Store.Damaged(ctx); err != nil {
		return err
	}
	return ctx.Err()
}
