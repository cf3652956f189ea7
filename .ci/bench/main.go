// Command bench measures docusort against the API stand-in and prints a table.
// From the top of the checkout:
//
//	go run ./.ci/bench                       # every case, about fifty minutes
//	go run ./.ci/bench -short                # smaller numbers, a quarter of an hour
//	go run ./.ci/bench -run 'small|large'    # some cases
//
// It needs Go and a C compiler, and works in a folder of its own in $TMPDIR, which
// should be on the kind of disk that matters.
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
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
)

// cases in the order in which they run.
var cases = []struct {
	name, about string
	run         func(*bench)
}{
	{"small", "documents of 20 KB, jobs that take no time, 16 uploads at a time; beside the bare loop", (*bench).small},
	{"large", "16 uploads of large documents at once; beside the bare loop", (*bench).large},
	{"backlog", "many documents in the inbox at the start; beside few", (*bench).backlog},
	{"flight", "about 16 jobs of 2 s in flight, default settings; beside the bare loop", (*bench).flight},
	{"answer", "jobs of about 4 s, default settings; beside a fixed pause of 2 s between polls", (*bench).answer},
	{"limits", "a rate limit that docusort is not told of: a window, and a bucket of 50", (*bench).limits},
	{"fleet", "five daemons on one rate limit that none of them is told of", (*bench).fleet},
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
	flag.IntVar(&b.pairs, "pairs", 5, "how often to repeat the quick comparisons")
	flag.StringVar(&b.docusort, "docusort", "", "the `binary` to measure, with its full path (default: built from this checkout)")
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
	}
	chosen := flag.String("run", "", "run only the cases that match this regular `expression`: "+strings.Join(names, ", "))
	flag.Parse()
	only, err := regexp.Compile(*chosen)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
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
	if b.name == "" {
		return fmt.Errorf("no case matches %q", only)
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
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %w", b.name, r.(failure)) // any other panic goes on
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
	out, _ := exec.Command("sh", "-c", `echo "$(nproc) CPUs, $(uname -sr), $(stat -f -c %T "$0"), load $(cat /proc/loadavg)"`, dir).Output()
	return strings.TrimSpace(string(out)) + ", " + runtime.Version()
}

// figure is one row of the table, with a value from each run.
type figure struct {
	name, what, unit string
	values           []float64
}

// add adds a value to the row of this name in the current case.
func (b *bench) add(what, unit string, value float64) {
	fmt.Fprintf(os.Stderr, "  %s: %s %s\n", what, digits(value), unit)
	i := slices.IndexFunc(b.figures, func(f *figure) bool { return f.name == b.name && f.what == what })
	if i < 0 {
		i = len(b.figures)
		b.figures = append(b.figures, &figure{name: b.name, what: what, unit: unit})
	}
	b.figures[i].values = append(b.figures[i].values, value)
}

// print writes the table: the median of each row, and the range of several values.
func (b *bench) print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\ncase\twhat\tmedian\tunit\trange")
	for _, f := range b.figures {
		spread := ""
		if n := len(f.values); n > 1 {
			spread = fmt.Sprintf("%s – %s of %d", digits(slices.Min(f.values)), digits(slices.Max(f.values)), n)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.name, f.what, digits(quantile(f.values, 0.5)), f.unit, spread)
	}
}

// quantile interpolates between the two nearest values.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	below := int(at)
	return v[below] + (at-float64(below))*(v[min(below+1, len(v)-1)]-v[below])
}

// digits formats three significant digits, or all of those before the point.
func digits(x float64) string {
	if x >= 1000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
