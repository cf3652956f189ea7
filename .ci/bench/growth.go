package main

import (
	"context"
	"fmt"
	"strconv"
)

// measureGrowth: how the cost of a document grows with its size, with how many
// are uploaded at a time, and with how long the service takes. How it grows with
// their number is the backlog's to show.
func measureGrowth(ctx context.Context, b *bench) error {
	for _, size := range []int{2_000, 20_000, 200_000, 2_000_000, 20_000_000} {
		n := pick(b, 2000, 400)
		n = min(n, pick(b, 2_000_000_000, 200_000_000)/size)
		if err := b.grow(ctx, fmt.Sprintf("%d kB", size/1000), n, size, nil); err != nil {
			return err
		}
	}
	for _, workers := range []int{1, 4, 16, 64} {
		n := pick(b, 2000, 400)
		err := b.grow(ctx, fmt.Sprintf("%d uploads at a time", workers), n, 20_000, nil, "DOCUSORT_WORKERS="+strconv.Itoa(workers))
		if err != nil {
			return err
		}
	}
	for _, latency := range []string{"0s", "1s", "4s"} {
		n := pick(b, 1000, 200)
		err := b.grow(ctx, "jobs of "+latency, n, 20_000, []string{"--latency", latency}, "DOCUSORT_POLL_MIN=500ms")
		if err != nil {
			return err
		}
	}
	return nil
}

// grow files n documents with the brisk settings and those of the case.
func (b *bench) grow(ctx context.Context, name string, n, size int, service []string, settings ...string) error {
	fill := func(dir string) error {
		err := writeDocuments(dir, n, size)
		settle()
		return err
	}
	r, err := b.runDaemonWith(ctx, n, fill, service, append(append([]string{}, brisk...), settings...)...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.report(name, "", "documents/s", []float64{float64(n) / r.took.Seconds()}, fmt.Sprintf("of %d", n))
	b.report("  CPU", "", "ms/document", []float64{r.cpu.Seconds() * 1000 / float64(n)}, "")
	b.report("  peak memory", "", "MB", []float64{r.peak}, "")
	return nil
}
