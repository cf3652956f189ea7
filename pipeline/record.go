package pipeline

import (
	"context"
	"fmt"

	"docusort/store"
)

// asked asks the record until it answers, waiting for a disk as durable does.
// alive is that of the goroutine that asks; nil where it has none.
func asked[T any](ctx context.Context, p *Pipeline, alive pulse, question func(context.Context) (T, error)) (answer T, err error) {
	err = p.outlast(ctx, reading, alive, func(ctx context.Context) (err error) {
		answer, err = question(ctx)
		return err
	})
	return answer, err
}

// outlast does what needs the disk of the record until it is done, or cannot be
// for another reason than trouble of that disk.
func (p *Pipeline) outlast(ctx context.Context, c cause, alive pulse, do func(context.Context) error) error {
	for n := 1; ; n++ {
		err := do(ctx)
		if !store.DiskTrouble(err) {
			p.gate.holdDisk(c, "")
			return err
		}
		p.gate.holdDisk(c, err.Error())
		if !alive.sleep(ctx, backoff(n, firstDiskWait, longestDiskWait, 0)) {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// awaitDamage ends the work where the record turns out to be damaged: what is
// paid for might not be remembered.
func (p *Pipeline) awaitDamage(ctx context.Context) error {
	if err := p.Store.Damaged(ctx); err != nil {
		return err
	}
	return ctx.Err()
}
