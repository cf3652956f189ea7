// Command bench measures docusort: it drives the real binary against
// docutray-sim, the stand-in for the service, and prints figures with their
// spread beside the goals. From the top of the checkout:
//
//	go run ./.ci/bench              # everything, about twenty minutes
//	go run ./.ci/bench -short       # smaller counts, a few minutes
//	go run ./.ci/bench -list        # what there is to measure
//	go run ./.ci/bench -run 'small|large' -pairs 7 -json
//
// It needs Go and a C compiler, as docusort itself does, and strace where syncs
// are to be counted. It works in a folder of its own in -dir, which ought to be
// on the kind of disk that matters, and leaves nothing behind.
//
// # What the figures mean
//
// How fast a machine is says little about the program, so speed is a ratio: to
// the bare loop, which is what the machine could do at best. It is a process of
// its own in which 16 goroutines each post a document as the client does, ask
// for its job once and rename the file into a folder. It stores nothing, checks
// nothing and syncs nothing. Both run one after the other against fresh
// stand-ins, several times, and each pair gives a ratio. All of them are shown:
// the middle one, and the least and the most.
//
// The stand-in shares the machine with what is measured, for both alike.
//
// # Looking inside
//
//	go run ./.ci/bench -run small -perf DIR       # perf record of each daemon, into DIR
//	go run ./.ci/bench -run small -calls DIR      # strace -c of each daemon, into DIR
//	go run ./.ci/bench -docusort OLD -run small   # a binary made before
//
// The exit code is 1 where something went wrong, such as a document that was not
// filed. A goal that is missed is a figure like any other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		os.Exit(bareMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	short, list, json bool
	run               string
	pairs             int
	dir               string
	docusort, sim     string // binaries; empty: built from this checkout
	perf, calls       string
	backlog, million  int
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false, "smaller counts: a few minutes in all")
	f.BoolVar(&o.list, "list", false, "list what there is to measure, and end")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	f.StringVar(&o.run, "run", "", "measure only what matches this regular `expression`")
	f.IntVar(&o.pairs, "pairs", 0, "how often to repeat what is compared with the bare loop (default 5, short 3)")
	f.StringVar(&o.dir, "dir", os.TempDir(), "`folder` to work in")
	f.StringVar(&o.docusort, "docusort", "", "a docusort `binary` to measure (default: built from here)")
	f.StringVar(&o.sim, "sim", "", "a docutray-sim `binary` to use (default: built from here)")
	f.StringVar(&o.perf, "perf", "", "record each daemon with perf, into this `folder`")
	f.StringVar(&o.calls, "calls", "", "count each daemon's system calls with strace -c, into this `folder`")
	f.IntVar(&o.backlog, "backlog", 0, "files of the larger backlog (default 100000, short 5000)")
	f.IntVar(&o.million, "million", 0, "documents of the large record (default 1000000, short 100000)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	pick := func(n *int, full, short int) {
		switch {
		case *n > 0:
		case o.short:
			*n = short
		default:
			*n = full
		}
	}
	pick(&o.pairs, 5, 3)
	pick(&o.backlog, 100_000, 5_000)
	pick(&o.million, 1_000_000, 100_000)
	if f.NArg() > 0 {
		return o, fmt.Errorf("takes no arguments, got %q", f.Args())
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	chosen, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if o.list {
		for _, s := range scenarios {
			fmt.Printf("%-8s %s\n", s.name, s.about)
		}
		return nil
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.clean()) }()
	began := time.Now()
	var faults []error
	for _, s := range scenarios {
		if ctx.Err() != nil || !chosen.MatchString(s.name) {
			continue
		}
		b.scenario = s.name
		b.say("%s", s.about)
		if err := s.run(ctx, b); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.name, err))
			b.say("%v", err)
		}
		b.stopAll()
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	b.machine.Seconds = time.Since(began).Round(time.Second).Seconds()
	if err := b.print(os.Stdout); err != nil {
		return err
	}
	return errors.Join(faults...)
}
