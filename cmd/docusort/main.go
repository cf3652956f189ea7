package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() { os.Exit(process(testHooks{})) }

// process is the whole life of this process.
func process(hooks testHooks) int {
	p, ctx := thisProcess(hooks), untilSignal()
	context.AfterFunc(ctx, p.lastResort.end)
	return run(ctx, p)
}

// untilSignal returns a context that ends with the first SIGTERM or SIGINT. A
// second one ends the process at once.
func untilSignal() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	return ctx
}

func thisProcess(hooks testHooks) program {
	addProcessor()
	return program{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, setUser: setUser,
		lastResort: &lastResort{within: commandStop}, hooks: hooks}
}

// addProcessor lets one more goroutine run than there are processors, unless the
// environment says how many may. Some goroutine is nearly always in a system call
// of the disk, which keeps a processor until the runtime notices: with two
// processors this files documents 8 % faster.
func addProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
