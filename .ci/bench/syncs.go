package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// syncCounts are how often what was synced.
type syncCounts struct{ database, folders, files int }

// syncCall is a line of strace -f -y, at the beginning of a call:
//
//	1234 fdatasync(7</home/docusort.db-wal>) = 0
//	1234 fsync(9</home/sorted/invoice> <unfinished ...>
//
// sync_file_range is not among them: it only asks whether what was written before
// got to the disk.
var syncCall = regexp.MustCompile(`(?:fsync|fdatasync|syncfs)\(\d+<([^>]*)>`)

// count sorts the calls by what they are for.
func (c *syncCounts) count(trace *os.File, s *site) error {
	lines := bufio.NewScanner(trace)
	for lines.Scan() {
		m := syncCall.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		path := strings.TrimSuffix(m[1], " (deleted)")
		switch {
		case strings.HasPrefix(path, s.database):
			c.database++
		case filepath.Ext(path) == "":
			c.folders++
		default:
			c.files++
		}
	}
	return lines.Err()
}

// measureSyncs counts what makes every step durable. Under strace each of them
// takes longer, so that more documents share one than otherwise, if at all;
// calls of other kinds run as fast as ever.
func measureSyncs(ctx context.Context, b *bench) error {
	if _, err := exec.LookPath("strace"); err != nil {
		b.say("  strace is not installed: not measured")
		return nil
	}
	n := pick(b, 2000, 500)
	var database, folders, files []float64
	for range pick(b, 3, 1) {
		c, err := b.countSyncs(ctx, n)
		if err != nil {
			return err
		}
		database = append(database, float64(c.database)/float64(n))
		folders = append(folders, float64(c.folders)/float64(n))
		files = append(files, float64(c.files)/float64(n))
	}
	b.report("syncs of the database", "< 0.5", "/document", database, fmt.Sprintf("%d documents, counted by strace", n))
	b.report("syncs of folders", "", "/document", folders, "")
	b.report("syncs of documents", "", "/document", files, "")
	return nil
}

func (b *bench) countSyncs(ctx context.Context, n int) (c syncCounts, err error) {
	s, err := b.newSite()
	if err != nil {
		return c, err
	}
	if err := writeDocuments(s.inbox, n, 20_000); err != nil {
		return c, err
	}
	service, err := b.startStandIn(ctx)
	if err != nil {
		return c, err
	}
	trace := filepath.Join(s.home, "trace")
	d, err := b.startDaemonUnder(ctx, []string{"strace", "-f", "--seccomp-bpf", "-y", "-qq",
		"-e", "trace=fsync,fdatasync,syncfs", "-e", "signal=none", "-o", trace}, s, service, brisk...)
	if err != nil {
		return c, err
	}
	if _, err := d.finish(ctx, n, 0); err != nil {
		return c, err
	}
	file, err := os.Open(trace)
	if err != nil {
		return c, err
	}
	defer file.Close()
	if err := c.count(file, s); err != nil {
		return c, err
	}
	if c.database == 0 {
		return c, fmt.Errorf("strace saw no sync of %s, which cannot be", s.database)
	}
	if err := service.stop(); err != nil {
		return c, err
	}
	return c, s.remove()
}
