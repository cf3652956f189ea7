package main

import (
	"context"
	"fmt"
	"time"
)

// pair is what docusort and the bare loop came to with the same documents.
type pair struct {
	ours    result
	bare    bareResult
	bareCPU time.Duration
}

func (p *pair) ratio() float64 { return p.bare.Seconds / p.ours.took.Seconds() }

// runPair measures both, one right after the other.
func (b *bench) runPair(ctx context.Context, n int, fill func(dir string) error, settings ...string) (p pair, err error) {
	if p.ours, err = b.runDaemon(ctx, n, fill, settings...); err != nil {
		return p, err
	}
	s, err := b.newSite()
	if err != nil {
		return p, err
	}
	if err := fill(s.inbox); err != nil {
		return p, err
	}
	service, err := b.startStandIn(ctx)
	if err != nil {
		return p, err
	}
	if p.bare, p.bareCPU, err = b.runBare(ctx, s, service); err != nil {
		return p, err
	}
	if err := s.allFiled(n); err != nil {
		return p, fmt.Errorf("the bare loop: %w", err)
	}
	if err := service.stop(); err != nil {
		return p, err
	}
	return p, s.remove()
}

// runDaemon has docusort file what fill puts into its inbox, from a start.
func (b *bench) runDaemon(ctx context.Context, n int, fill func(dir string) error, settings ...string) (r result, err error) {
	return b.runDaemonWith(ctx, n, fill, nil, settings...)
}

// runDaemonWith is runDaemon with a stand-in that has these flags.
func (b *bench) runDaemonWith(ctx context.Context, n int, fill func(dir string) error, flags []string, settings ...string) (r result, err error) {
	s, err := b.newSite()
	if err != nil {
		return r, err
	}
	if err := fill(s.inbox); err != nil {
		return r, err
	}
	service, err := b.startStandIn(ctx, flags...)
	if err != nil {
		return r, err
	}
	d, err := b.startDaemon(ctx, s, service, settings...)
	if err != nil {
		return r, err
	}
	if r, err = d.finish(ctx, n, 0); err != nil {
		return r, err
	}
	if err := service.stop(); err != nil {
		return r, err
	}
	return r, s.remove()
}

// measureSmall: what the storing and checking of every step costs, where the
// service costs next to nothing.
func measureSmall(ctx context.Context, b *bench) error {
	n := pick(b, 10_000, 800)
	fill := func(dir string) error { return writeDocuments(dir, n, 20_000) }
	var ratio, ours, bare, cpu, bareCPU, peak, polls, requests []float64
	for i := range b.options.pairs {
		p, err := b.runPair(ctx, n, fill, brisk...)
		if err != nil {
			return err
		}
		each := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(n) }
		ratio = append(ratio, p.ratio())
		ours = append(ours, float64(n)/p.ours.took.Seconds())
		bare = append(bare, float64(n)/p.bare.Seconds)
		cpu, bareCPU = append(cpu, each(p.ours.cpu)), append(bareCPU, each(p.bareCPU))
		peak, polls = append(peak, p.ours.peak), append(polls, p.ours.polls)
		requests = append(requests, float64(p.ours.stats.Requests)/float64(n))
		b.say("  pair %d: %.0f and %.0f documents a second, ratio %.2f", i+1, ours[i], bare[i], ratio[i])
	}
	note := fmt.Sprintf("%d documents a run", n)
	b.report("speed, of the bare loop's", "≥ 0.7, least 0.5", "", ratio, note)
	b.report("docusort", "", "documents/s", ours, "")
	b.report("bare loop", "", "documents/s", bare, "")
	b.report("CPU of docusort", "", "ms/document", cpu, "")
	b.report("CPU of the bare loop", "", "ms/document", bareCPU, "")
	b.report("peak memory", "", "MB", peak, "")
	b.report("questions for a job", "", "/job", polls, "")
	b.report("requests of all kinds", "", "/document", requests, "")
	return b.measureDefaults(ctx, n, fill)
}

// measureDefaults: the same with nothing set, where questions for a job are
// DOCUSORT_POLL_MIN apart and DOCUSORT_MAX_PENDING bounds how many wait.
func (b *bench) measureDefaults(ctx context.Context, n int, fill func(string) error) error {
	r, err := b.runDaemon(ctx, n, fill)
	if err != nil {
		return err
	}
	b.report("docusort, default settings", "", "documents/s", []float64{float64(n) / r.took.Seconds()}, "")
	return nil
}

// measureLarge: that memory depends neither on the size of documents nor on how
// many are under way, and that nothing but the upload takes time.
func measureLarge(ctx context.Context, b *bench) error {
	const n = 16
	size := pick(b, 60_000_000, 20_000_000)
	fill := func(dir string) error {
		err := writeDocuments(dir, n, size)
		settle() // such documents are on the disk by the time they are whole
		return err
	}
	var ratio, ours, peak, barePeak, cpu, bareCPU []float64
	for i := range min(b.options.pairs, pick(b, 5, 2)) {
		p, err := b.runPair(ctx, n, fill, brisk...)
		if err != nil {
			return err
		}
		megabytes := float64(n) * float64(size) / 1e6
		ratio = append(ratio, p.ratio())
		ours = append(ours, megabytes/p.ours.took.Seconds())
		peak, barePeak = append(peak, p.ours.peak), append(barePeak, p.bare.PeakMB)
		cpu = append(cpu, p.ours.cpu.Seconds()*1e6/megabytes/1e3)
		bareCPU = append(bareCPU, p.bareCPU.Seconds()*1e6/megabytes/1e3)
		b.say("  pair %d: %.0f MB/s, ratio %.2f, peak %.0f MB", i+1, ours[i], ratio[i], peak[i])
	}
	note := fmt.Sprintf("%d documents of %d MB", n, size/1_000_000)
	b.report("speed, of the bare loop's", "about 1", "", ratio, note)
	b.report("docusort", "", "MB/s", ours, "")
	b.report("peak memory", "≤ 64 MB", "MB", peak, "")
	b.report("peak memory of the bare loop", "", "MB", barePeak, "")
	b.report("CPU of docusort", "", "ms/MB", cpu, "")
	b.report("CPU of the bare loop", "", "ms/MB", bareCPU, "")
	return nil
}
