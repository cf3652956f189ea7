package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// startQuiet starts a daemon with default settings, and waits until it has filed
// one document and come to rest.
func (b *bench) startQuiet(ctx context.Context) (*daemon, error) {
	s, err := b.newSite()
	if err != nil {
		return nil, err
	}
	service, err := b.startStandIn(ctx)
	if err != nil {
		return nil, err
	}
	d, err := b.startDaemon(ctx, s, service)
	if err != nil {
		return nil, err
	}
	if err := writeDocument(filepath.Join(s.inbox, "first.pdf"), 1<<20, 20_000); err != nil {
		return nil, err
	}
	err = d.until(ctx, "document filed", 2*time.Minute, 100*time.Millisecond, func() (bool, error) {
		n, err := filesBelow(s.sorted)
		return n == 1, err
	})
	return d, err
}

// end stops the daemon and its service.
func (d *daemon) end() error {
	if err := d.stop(); err != nil {
		return err
	}
	if err := d.service.stop(); err != nil {
		return err
	}
	return d.site.remove()
}

// pauseFor waits; the end of ctx is an error.
func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// measureDrop: what docusort adds to the settle time.
func measureDrop(ctx context.Context, b *bench) error {
	d, err := b.startQuiet(ctx)
	if err != nil {
		return err
	}
	n := pick(b, 40, 12)
	written := make(map[int64]time.Time) // by size, which is each one's own
	for i := range n {
		if err := pauseFor(ctx, time.Duration(200+rand.IntN(1800))*time.Millisecond); err != nil {
			return err
		}
		size := 20_000 + i
		if err := writeDocument(filepath.Join(d.site.inbox, fmt.Sprintf("scan-%d.pdf", i)), i, size); err != nil {
			return err
		}
		written[int64(size)] = time.Now()
	}
	err = d.until(ctx, "last upload", 2*time.Minute, 100*time.Millisecond, func() (bool, error) {
		st, err := d.service.stats(ctx)
		return st.Jobs == n+1, err
	})
	if err != nil {
		return err
	}
	jobs, err := d.service.jobs(ctx)
	if err != nil {
		return err
	}
	var late []float64
	for _, j := range jobs[1:] {
		late = append(late, (j.Arrived.Sub(written[j.Size])-defaultSettle).Seconds()*1000)
	}
	if _, err := d.finish(ctx, n+1, 0); err != nil {
		return err
	}
	b.report("drop to upload", "≤ 100 ms", "ms", late, "without DOCUSORT_SETTLE; each a single file")
	return d.end()
}

// measureRest: a daemon with nothing to do is not noticed.
func measureRest(ctx context.Context, b *bench) error {
	d, err := b.startQuiet(ctx)
	if err != nil {
		return err
	}
	if err := pauseFor(ctx, 10*time.Second); err != nil { // what the document left to be done
		return err
	}
	before, err := d.work()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := pauseFor(ctx, pick(b, 2*time.Minute, time.Minute)); err != nil {
		return err
	}
	after, err := d.work()
	if err != nil {
		return err
	}
	minutes := time.Since(began).Minutes()
	resident, err := d.megabytes("VmRSS")
	if err != nil {
		return err
	}
	own, err := d.megabytes("RssAnon")
	if err != nil {
		return err
	}
	b.report("CPU", "none", "ms/min", []float64{(after.cpu - before.cpu).Seconds() * 1000 / minutes}, "in steps of 10 ms; default DOCUSORT_RESCAN")
	b.report("wake-ups", "", "/min", []float64{(after.switches - before.switches) / minutes}, "of all threads")
	b.report("memory", "≤ 25 MB", "MB", []float64{resident}, fmt.Sprintf("%.1f MB of it not shared with the binary's file", own))
	return d.end()
}
