package main

import (
	"context"
	"fmt"
	"time"
)

// smallest is the size of the documents of a backlog, in bytes: their number is
// what counts.
const smallest = 2_000

// defaultSettle is DOCUSORT_SETTLE where nothing is set.
const defaultSettle = 5 * time.Second

// measureBacklog: a document costs the same whatever waits behind it.
func measureBacklog(ctx context.Context, b *bench) error {
	few := pick(b, 1000, 500)
	first, cpu, wall := make([][]float64, 2), make([][]float64, 2), make([][]float64, 2)
	var peak, moreCPU, moreWall []float64
	for i := range pick(b, 2, 1) {
		for k, n := range []int{few, b.options.backlog} {
			started, r, err := b.runBacklog(ctx, n)
			if err != nil {
				return err
			}
			first[k] = append(first[k], (r.stats.FirstSubmission.Sub(started) - defaultSettle).Seconds())
			cpu[k] = append(cpu[k], r.cpu.Seconds()*1000/float64(n))
			wall[k] = append(wall[k], r.took.Seconds()*1000/float64(n))
			if k == 1 {
				peak = append(peak, r.peak)
			}
			b.say("  %d files: first upload after %.2f s, %.2f ms and %.2f ms of CPU a document, peak %.0f MB",
				n, first[k][i], wall[k][i], cpu[k][i], r.peak)
		}
		moreCPU, moreWall = append(moreCPU, cpu[1][i]/cpu[0][i]), append(moreWall, wall[1][i]/wall[0][i])
	}
	names := []string{fmt.Sprintf("%d files", few), fmt.Sprintf("%d files", b.options.backlog)}
	b.report("first upload, "+names[0], "≤ 2 s", "s", first[0], "after the start, without DOCUSORT_SETTLE")
	b.report("first upload, "+names[1], "≤ 2 s", "s", first[1], "")
	b.report("CPU, "+names[0], "", "ms/document", cpu[0], "the start and the end included")
	b.report("CPU, "+names[1], "", "ms/document", cpu[1], "")
	b.report("CPU, many to few", "≤ 1", "", moreCPU, "")
	b.report("time, "+names[0], "", "ms/document", wall[0], "")
	b.report("time, "+names[1], "", "ms/document", wall[1], "")
	b.report("time, many to few", "≤ 1", "", moreWall, "")
	b.report("peak memory, "+names[1], "≤ 128 MB", "MB", peak, "")
	return nil
}

// runBacklog starts docusort over n files.
func (b *bench) runBacklog(ctx context.Context, n int) (started time.Time, r result, err error) {
	s, err := b.newSite()
	if err != nil {
		return started, r, err
	}
	if err := writeDocuments(s.inbox, n, smallest); err != nil {
		return started, r, err
	}
	settle()
	service, err := b.startStandIn(ctx)
	if err != nil {
		return started, r, err
	}
	settings := append([]string{}, brisk...)
	d, err := b.startDaemon(ctx, s, service, append(settings, "DOCUSORT_SETTLE="+defaultSettle.String())...)
	if err != nil {
		return started, r, err
	}
	if r, err = d.finish(ctx, n, 0); err != nil {
		return started, r, err
	}
	if err := service.stop(); err != nil {
		return started, r, err
	}
	return d.began, r, s.remove()
}
