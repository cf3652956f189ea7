// Command docusort files the documents of an inbox by the type that the
// DocuTray service identifies. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(process(seams{})) }

// process runs the program with what this process was started with, until
// SIGTERM or SIGINT.
func process(s seams) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return run(ctx, program{args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, seams: s})
}
