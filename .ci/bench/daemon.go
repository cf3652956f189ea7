package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// brisk are settings under which docusort itself is what takes the time: 16
// uploads at a time, and questions as soon as they may be asked.
var brisk = []string{"DOCUSORT_WORKERS=16", "DOCUSORT_MAX_PENDING=1000", "DOCUSORT_POLL_MIN=1ms", "DOCUSORT_SETTLE=1s"}

// daemon is a docusort that runs.
type daemon struct {
	*process
	site    *site
	service *standIn
}

// environ are the settings of a site whose service is the stand-in.
func (s *site) environ(service *standIn, settings ...string) []string {
	return append([]string{"DOCUSORT_HOME=" + s.home, "DOCUSORT_DOCUMENT_TYPES=" + typeCodes,
		"DOCUTRAY_BASE_URL=" + service.url, "DOCUTRAY_API_KEY=" + docutraytest.DefaultKey}, settings...)
}

// startDaemon starts docusort, under what -perf and -calls ask for.
func (b *bench) startDaemon(ctx context.Context, s *site, service *standIn, settings ...string) (*daemon, error) {
	var under []string
	if b.options.calls != "" {
		under = []string{"strace", "-f", "-c", "-w", "-o", filepath.Join(b.options.calls, b.recording("strace"))}
	}
	return b.startDaemonUnder(ctx, under, s, service, settings...)
}

// startDaemonUnder starts docusort as the child of another program.
func (b *bench) startDaemonUnder(ctx context.Context, under []string, s *site, service *standIn, settings ...string) (*daemon, error) {
	command := append(under, b.options.docusort, "run", "--config", s.config())
	p, err := b.start("docusort", s.environ(service, settings...), command...)
	if err != nil {
		return nil, err
	}
	d := &daemon{p, s, service}
	if len(under) > 0 {
		if err := d.findChild(ctx); err != nil {
			return nil, err
		}
	}
	if b.options.perf != "" {
		file := filepath.Join(b.options.perf, b.recording("perf.data"))
		_, err = b.start("perf", nil, "perf", "record", "-q", "-F", "499", "-g", "-o", file, "-p", strconv.Itoa(d.pid))
	}
	return d, err
}

// recording names a file for what was recorded of the next daemon.
func (b *bench) recording(ending string) string {
	return fmt.Sprintf("%s-%02d.%s", b.scenario, b.sites, ending)
}

// findChild finds out the process id of docusort itself.
func (d *daemon) findChild(ctx context.Context) error {
	binary, err := exec.LookPath(d.cmd.Args[len(d.cmd.Args)-4])
	if err != nil {
		return err
	}
	return d.until(ctx, "child", 30*time.Second, 5*time.Millisecond, func() (bool, error) {
		all, err := filepath.Glob("/proc/[0-9]*")
		for _, dir := range all {
			parent, _ := statusOf(filepath.Join(dir, "status"), "PPid")
			exe, _ := os.Readlink(filepath.Join(dir, "exe"))
			if int(parent) == d.cmd.Process.Pid && exe == binary {
				d.pid, err = strconv.Atoi(filepath.Base(dir))
				return true, err
			}
		}
		return false, err
	})
}

// result is what a run of n documents came to.
type result struct {
	stats docutraytest.Stats
	took  time.Duration // from the first POST to the last document filed
	cpu   time.Duration
	peak  float64 // megabytes
	polls float64 // requests for a job's state, per document
}

// finish waits until n documents are filed, looks at everything, and stops the
// daemon. A document that is anywhere else is an error. before is how many
// documents earlier daemons filed there.
func (d *daemon) finish(ctx context.Context, n, before int) (r result, err error) {
	limit := 2*time.Minute + time.Duration(n)*100*time.Millisecond
	err = d.until(ctx, "end of the submissions", limit, 50*time.Millisecond, func() (bool, error) {
		r.stats, err = d.service.stats(ctx)
		return r.stats.Jobs >= n, err
	})
	if err != nil {
		return r, err
	}
	rec, err := openRecord(d.site.database)
	if err != nil {
		return r, err
	}
	defer rec.Close()
	err = d.until(ctx, "end of the filing", limit, 50*time.Millisecond, func() (bool, error) { return rec.idle(ctx) })
	if err != nil {
		return r, err
	}
	if err := d.measure(ctx, &r); err != nil {
		return r, err
	}
	if err := d.stop(); err != nil {
		return r, err
	}
	last, err := rec.lastFiled(ctx)
	r.took = last.Sub(r.stats.FirstSubmission)
	return r, errors.Join(err, d.site.allFiled(before+n))
}

// measure looks at the process and the stand-in.
func (d *daemon) measure(ctx context.Context, r *result) error {
	w, err := d.work()
	if err != nil {
		return err
	}
	r.cpu = w.cpu
	if r.peak, err = d.megabytes("VmHWM"); err != nil {
		return err
	}
	r.stats, err = d.service.stats(ctx)
	r.polls = float64(r.stats.Polls) / float64(max(r.stats.Jobs, 1))
	return err
}

// allFiled compares with what is on the disk.
func (s *site) allFiled(n int) error {
	left, err := filesBelow(s.inbox)
	filed, err2 := filesBelow(s.sorted)
	failed, _ := filesBelow(filepath.Join(s.sorted, "_failed"))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if left != 0 || filed != n || failed != 0 {
		return fmt.Errorf("of %d documents %d are filed, %d of them as failed, and %d are left", n, filed, failed, left)
	}
	return nil
}
