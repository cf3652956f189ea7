package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() { os.Exit(process(testHooks{})) }

// process is the whole life of this process. The first SIGTERM or SIGINT ends it in good
// order, a second one at once.
func process(hooks testHooks) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	var last lastResort
	last.allow(commandStop)
	context.AfterFunc(ctx, last.end)
	addProcessor()
	return run(ctx, program{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr,
		setUser: setUser, lastResort: &last, hooks: hooks})
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
