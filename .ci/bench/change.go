package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// phase is a time in which the service's jobs take a while of their own.
type phase struct {
	jobs    int
	latency time.Duration
}

// measureChange: a service that becomes ten times slower and then as quick again as
// it was, with documents dropped all the time.
func measureChange(ctx context.Context, b *bench) error {
	quick, slow := 2*time.Second, pick(b, 20*time.Second, 10*time.Second)
	phases := []phase{{pick(b, 60, 30), quick}, {pick(b, 150, 60), slow}, {pick(b, 75, 30), quick}}
	jobs, err := b.runChange(ctx, phases, 200*time.Millisecond)
	if err != nil {
		return err
	}
	// Which jobs were made in the slow phase their own times tell.
	isSlow := func(j docutraytest.JobTimes) bool { return j.Ready.Sub(j.Made) == slow }
	first := slices.IndexFunc(jobs, isSlow)
	last := len(jobs) - 1
	for last > first && !isSlow(jobs[last]) {
		last--
	}
	if first <= 0 || last == len(jobs)-1 {
		return fmt.Errorf("the service did not change: jobs %d to %d of %d were slow", first, last, len(jobs))
	}
	for i, part := range [][]docutraytest.JobTimes{jobs[:first], jobs[first : last+1], jobs[last+1:]} {
		late, asked := lateness(part)
		name := fmt.Sprintf("phase %d, jobs of %v: ", i+1, phases[i].latency)
		b.report(name+"seen late, median", "≤ 10 %", "%", []float64{quantileOf(late, 0.5)}, fmt.Sprintf("%d jobs", len(part)))
		b.report(name+"seen late, worst", "", "%", []float64{slices.Max(late)}, "")
		b.report(name+"questions", "≤ 6", "/job", []float64{mean(asked)}, "")
		b.report(name+"jobs until it is used to", "", "", []float64{float64(usedTo(late, asked))}, "")
	}
	return nil
}

// usedTo returns after how many jobs every ten in a row meet the goals.
func usedTo(late, asked []float64) int {
	const row = 10
	for i := len(late) - row; i >= 0; i-- {
		if quantileOf(late[i:i+row], 0.5) > 10 || mean(asked[i:i+row]) > 6 {
			return i + 1
		}
	}
	return 0
}

// runChange drops documents one by one and returns their jobs, in the order in which
// they were made.
func (b *bench) runChange(ctx context.Context, phases []phase, every time.Duration) ([]docutraytest.JobTimes, error) {
	s, err := b.newSite()
	if err != nil {
		return nil, err
	}
	service, err := b.startStandIn(ctx, "--latency", phases[0].latency.String())
	if err != nil {
		return nil, err
	}
	d, err := b.startDaemon(ctx, s, service)
	if err != nil {
		return nil, err
	}
	n := 0
	tick := time.NewTicker(every)
	defer tick.Stop()
	for _, p := range phases {
		if err := service.takes(ctx, p.latency); err != nil {
			return nil, err
		}
		for range p.jobs {
			name := fmt.Sprintf("scan-%06d.pdf", n)
			if err := writeDocument(filepath.Join(s.home, name), n, 20_000); err != nil {
				return nil, err
			}
			if err := os.Rename(filepath.Join(s.home, name), filepath.Join(s.inbox, name)); err != nil {
				return nil, err
			}
			n++
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	if _, err := d.finish(ctx, n, 0); err != nil {
		return nil, err
	}
	jobs, err := service.jobs(ctx)
	if err != nil {
		return nil, err
	}
	if err := service.stop(); err != nil {
		return nil, err
	}
	return jobs, s.remove()
}

// takes lets jobs take another time from now on.
func (s *standIn) takes(ctx context.Context, latency time.Duration) error {
	body := strings.NewReader(fmt.Sprintf(`{"latency":%q}`, latency))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/_standin/latency", body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("change the latency: %s", resp.Status)
	}
	return nil
}
