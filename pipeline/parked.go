package pipeline

import (
	"context"
	"slices"
	"time"

	"docusort/store"
)

// parkedPlaces is how many parked jobs are polled at once. A job is parked where its polls
// have failed for a while although the service answers: its row says when to poll it
// again, and it takes no place among MaxPending.
const parkedPlaces = 8

// pollParked starts a goroutine for each parked job whose time has come.
func (d *dispatcher) pollParked(ctx context.Context) error {
	for {
		now := time.Now()
		docs, err := read(ctx, d.p, func(ctx context.Context) ([]store.Document, error) {
			return d.p.Store.Parked(ctx, now, 2*parkedPlaces) // half of them may be worked on
		})
		if err != nil {
			return err
		}
		docs = slices.DeleteFunc(docs, d.isWorking)
		for _, doc := range docs {
			select {
			case d.parked <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			d.start(doc, nil, func() { <-d.parked })
		}
		if len(docs) > 0 {
			continue
		}
		again, err := read(ctx, d.p, func(ctx context.Context) (time.Time, error) {
			return d.p.Store.NextDue(ctx, store.PhasePoll, now)
		})
		if err != nil {
			return err
		}
		select {
		case <-at(again):
		case <-d.p.parkedNow:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
