// Command bench measures docusort against the API stand-in and prints a table.
// From the top of the checkout:
//
//	go run ./.ci/bench                       # every case, about twenty minutes
//	go run ./.ci/bench -short                # smaller numbers, five minutes
//	go run ./.ci/bench -run 'small|large'    # some cases
//
// It needs Go and a C compiler, and strace to count syncs. It works in a folder of
// its own in $TMPDIR, which should be on the kind of disk that matters.
//
// A figure alone says more about the machine than about docusort, so most cases
// measure two things in turn, several times. The other side is usually the bare
// loop: a process whose workers each post a document, ask for its job and rename
// the file. It stores, checks and syncs nothing. No case judges a figure; the exit
// code is 1 if a case failed, for example because a document was not filed.
//
// A new case is a method of bench and a row of the table below. It starts docusort
// with file or start, and reports each value with add. [must] ends a case.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
)

// cases in the order in which they run.
var cases = []struct {
	name, about string
	run         func(*bench)
}{
	{"small", "documents of 20 KB, jobs that take no time, 16 uploads at a time; beside the bare loop", (*bench).small},
	{"syncs", "the same under strace: syncs of the database, folders and files", (*bench).syncs},
	{"large", "16 uploads of large documents at once; beside the bare loop", (*bench).large},
	{"backlog", "many documents in the inbox at the start; beside few", (*bench).backlog},
	{"flight", "about 16 jobs of 2 s in flight, default settings; beside the bare loop", (*bench).flight},
	{"answer", "jobs of about 4 s, default settings; beside a fixed pause of 2 s between polls", (*bench).answer},
	{"limits", "a rate limit that docusort is not told of: a window, and a bucket of 50", (*bench).limits},
	{"drop", "single files: from the drop to the upload", (*bench).drop},
	{"rest", "nothing to do", (*bench).rest},
	{"report", "docusort report over a large database; beside a small one", (*bench).report},
	{"start", "until the daemon is ready with a large database; beside an empty one", (*bench).startup},
}

// bench is one run of the program.
type bench struct {
	ctx      context.Context // of the current case, which it ends with
	name     string          // of the current case
	short    bool
	pairs    int
	docusort string // the binary
	dir      string // everything is written below it
	sites    int    // made so far
	filled   *site  // with the large database, once it is made
	figures  []*figure
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		bareMain(os.Args[2:])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var b bench
	flag.BoolVar(&b.short, "short", false, "smaller numbers")
	flag.IntVar(&b.pairs, "pairs", 0, "how often to repeat what is compared (default 5, with -short 2)")
	flag.StringVar(&b.docusort, "docusort", "", "the `binary` to measure, with its full path (default: built from this checkout)")
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
	}
	chosen := flag.String("run", "", "run only the cases that match this regular `expression`: "+strings.Join(names, ", "))
	flag.Parse()
	only, err := regexp.Compile(*chosen)
	if err != nil || flag.NArg() > 0 {
		return fmt.Errorf("want only flags, and a regular expression for -run: %q %w", flag.Args(), err)
	}
	if b.pairs <= 0 {
		b.pairs = pick(&b, 5, 2)
	}
	if b.dir, err = os.MkdirTemp("", "docusort-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.docusort == "" {
		b.docusort = filepath.Join(b.dir, "docusort")
		build := exec.CommandContext(ctx, "go", "build", "-o", b.docusort, "docusort/cmd/docusort")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build docusort: %w\n%s", err, out)
		}
	}
	fmt.Println(machine(b.dir))
	for _, c := range cases {
		if only.MatchString(c.name) && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "%s: %s\n", c.name, c.about)
			b.name = c.name
			err = errors.Join(err, b.runCase(ctx, c.run))
		}
	}
	b.print(os.Stdout)
	return err
}

// runCase returns the error with which must ended the case.
func (b *bench) runCase(ctx context.Context, run func(*bench)) (err error) {
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithCancel(ctx)
	defer cancel() // kills what the case has left running
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = fmt.Errorf("%s: %w", b.name, r.error)
		default:
			panic(r)
		}
	}()
	run(b)
	return nil
}

// failure is what must panics with.
type failure struct{ error }

// must ends the current case if there is an error, as Fatal ends a test.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// got is must for a call that returns a value too.
func got[T any](value T, err error) T {
	must(err)
	return value
}

// pick chooses between the full and the short form.
func pick[T any](b *bench, full, short T) T {
	if b.short {
		return short
	}
	return full
}

// machine describes where the figures come from.
func machine(dir string) string {
	out, err := exec.Command("sh", "-c", `echo "$(nproc) CPUs, $(uname -sr), $(stat -f -c %T "$0"), load $(cat /proc/loadavg)"`, dir).Output()
	return strings.TrimSpace(string(got(out, err))) + ", " + runtime.Version()
}
