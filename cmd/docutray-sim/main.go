package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"docusort/cmd/internal/manual"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// run is the whole program. It serves until ctx is done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command(stderr)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	_, _ = fmt.Fprintf(stderr, "docutray-sim: %v\n", err)
	if errors.As(err, new(usageError)) {
		_, _ = fmt.Fprintln(stderr, "Run 'docutray-sim --help' for the flags.")
		return exitUsage
	}
	return exitFailed
}

func command(stderr io.Writer) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "docutray-sim",
		Short: "a stand-in for the DocuTray identification API",
		Long: "docutray-sim answers as the DocuTray identification API does, on this machine and\n" +
			"at no cost. It is a stand-in: it guesses a document's type by the words that stand\n" +
			"uncompressed in the file, and reads no pictures.",
		Example: "  docutray-sim --latency 3s --sigma 0.5\n" +
			"  docutray-sim --rate-limit 60 --fail-submit 0.1 --drop-after 0.05 --seed 7",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("takes no arguments, got %q", strings.Join(args, " "))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return usageError{err}
			}
			ln, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", s.listen)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), ln, s, stderr)
		},
	}
	cmd.CompletionOptions.HiddenDefaultCmd = true
	cmd.AddCommand(manual.Command("docusort", manualPages))
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	s.register(cmd.Flags())
	return cmd
}

func manualPages(root *cobra.Command) []manual.Page {
	page := manual.Of(root, manual.Part{Heading: "Exit status", Terms: []manual.Term{
		{Term: strconv.Itoa(exitDone), Meaning: "Stopped by SIGTERM or SIGINT."},
		{Term: strconv.Itoa(exitFailed), Meaning: "The server failed."},
		{Term: strconv.Itoa(exitUsage), Meaning: "The command line is wrong."},
	}})
	page.Also = append(page.Also, "docusort(1)")
	return []manual.Page{page}
}
