package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// bench is one run of this program.
type bench struct {
	options  options
	dir      string // all that is written is below it
	machine  machine
	scenario string // the one under way
	figures  []figure
	running  []*process
	sites    int
	large    string // home of the large record, once it is made
}

// scenarios in the order in which they run. Those that share a large record come
// last, the one that changes it at the end.
var scenarios = []struct {
	name  string
	about string
	run   func(context.Context, *bench) error
}{
	{"small", "documents of 20 KB, a service without latency, 16 workers: beside the bare loop", measureSmall},
	{"syncs", "the same, with the syncs of files, folders and the database counted", measureSyncs},
	{"large", "16 uploads of large documents at once: memory, and beside the bare loop", measureLarge},
	{"growth", "how the cost of a document grows with size, uploads at a time and the service's time", measureGrowth},
	{"backlog", "many files at the start: the first upload, and what a document costs", measureBacklog},
	{"answer", "jobs of 4 s: how late an answer is seen and how often it is asked for, beside a fixed pause", measureAnswer},
	{"change", "jobs of 2 s, then of 20 s, then of 2 s: how late answers are seen, and how soon it is used to that", measureChange},
	{"limits", "a rate limit that nobody told docusort of: how much of it is used", measureLimits},
	{"drop", "single files dropped: how long until the upload begins, beside the settle time", measureDrop},
	{"rest", "nothing to do: CPU, wake-ups, memory", measureRest},
	{"report", "a large record: docusort report, and its size", measureReport},
	{"start", "a large record: how long until the daemon is ready", measureStart},
	{"prune", "a large record: documents that flow while history is deleted", measurePrune},
}

// newBench makes the folder and the binaries.
func newBench(ctx context.Context, o options) (b *bench, err error) {
	base, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	if o.docusort != "" {
		if o.docusort, err = filepath.Abs(o.docusort); err != nil {
			return nil, err
		}
	}
	b = &bench{options: o}
	if b.machine, err = machineAt(base, o.short); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp(base, "docusort-bench-"); err != nil {
		return nil, err
	}
	for _, folder := range []string{o.perf, o.calls} {
		if folder != "" {
			err = errors.Join(err, os.MkdirAll(folder, 0o755))
		}
	}
	build := func(binary *string, pkg string) {
		if *binary != "" || err != nil {
			return
		}
		into := b.dir
		if o.perf != "" {
			into = b.perfFolder() // perf report looks for symbols there
		}
		*binary = filepath.Join(into, filepath.Base(pkg))
		b.say("building %s", pkg)
		out, failed := exec.CommandContext(ctx, "go", "build", "-o", *binary, "docusort/"+pkg).CombinedOutput()
		if failed != nil {
			err = fmt.Errorf("build %s: %w\n%s", pkg, failed, out)
		}
	}
	build(&b.options.docusort, "cmd/docusort")
	build(&b.options.sim, "cmd/docutray-sim")
	if err != nil {
		return nil, errors.Join(err, b.clean())
	}
	return b, nil
}

// perfFolder is where -perf puts things, from anywhere.
func (b *bench) perfFolder() string {
	folder, err := filepath.Abs(b.options.perf)
	if err != nil {
		return b.options.perf
	}
	return folder
}

// clean ends every process and removes everything.
func (b *bench) clean() error {
	b.stopAll()
	return os.RemoveAll(b.dir)
}

func (b *bench) stopAll() {
	for _, p := range b.running {
		_ = p.stop()
	}
	b.running = nil
}

// say tells what is going on, on stderr: stdout is for the figures.
func (b *bench) say(format string, args ...any) {
	name := b.scenario
	if name == "" {
		name = "bench"
	}
	fmt.Fprintf(os.Stderr, "%-8s %s\n", name, fmt.Sprintf(format, args...))
}

// pick chooses between the full and the short form.
func pick[T any](b *bench, full, short T) T {
	if b.options.short {
		return short
	}
	return full
}

// site is where one daemon, or one bare loop, works.
type site struct{ home, inbox, sorted, database string }

// newSite makes empty folders.
func (b *bench) newSite() (*site, error) {
	b.sites++
	home := filepath.Join(b.dir, "site-"+strconv.Itoa(b.sites))
	s := siteAt(home)
	return s, errors.Join(os.MkdirAll(s.inbox, 0o755), os.MkdirAll(s.sorted, 0o755),
		os.WriteFile(s.config(), nil, 0o644))
}

func siteAt(home string) *site {
	return &site{home, filepath.Join(home, "inbox"), filepath.Join(home, "sorted"), filepath.Join(home, "docusort.db")}
}

// config is an empty file, so that no settings of this machine count.
func (s *site) config() string { return filepath.Join(s.home, "empty.env") }

// remove makes room, and lets the disk come to rest for whoever is next.
func (s *site) remove() error {
	err := os.RemoveAll(s.home)
	settle()
	return err
}

// settle lets the disk come to rest.
func settle() { syscall.Sync() }

// filesBelow counts the files of a tree.
func filesBelow(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			n++
		}
		return err
	})
	return n, err
}
