package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/settings"
	"docusort/cmd/internal/manual"
	"docusort/pipeline"
	"docusort/store"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes (SPEC, "Commands").
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitLeft     = 3  // run --once left documents unfiled
	exitSettings = 78 // EX_CONFIG of sysexits(3); the unit does not restart on it
)

// program is what the process was started with. Results go to stdout, logs and
// progress to stderr.
type program struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
	setUser        func(uid, gid int) error // see becomeOwner; nil: not, as tests share their process
	hooks          testHooks
}

// testHooks let tests end a daemon at a step, or make an operation fail.
type testHooks struct {
	step  func(pipeline.Step)              // see pipeline.Config
	file  func(op string, done bool) error // see filing.Options
	store func(op string) error            // see store.Config

	jobPause time.Duration // see pipeline.Config
}

type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

var errLeft = errors.New("some documents were not filed")

// run is the whole program. It ends early when ctx is done.
func run(ctx context.Context, p program) int {
	root := p.rootCommand()
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if message := err.Error(); message != "" {
		fmt.Fprintln(p.stderr, "docusort: "+strings.ReplaceAll(message, "\n", "\ndocusort: "))
	}
	return exitCode(err)
}

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errLeft):
		return exitLeft
	case errors.As(err, new(settings.Problems)), errors.Is(err, store.ErrUnusable):
		return exitSettings
	}
	return exitFailed
}

func (p program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "docusort",
		Short: "file the documents of an inbox by the type that DocuTray identifies",
		Long: "docusort watches an inbox folder, has every new document's type identified by the\n" +
			"DocuTray API, and files the document in a folder named after that type.\n\n" +
			"Settings are environment variables, or NAME=value lines of a file; config.example.env\n" +
			"lists them all.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nRun '%s --help' for what it takes", err, cmd.CommandPath())}
	})
	var config string
	root.PersistentFlags().StringVar(&config, "config", "",
		"read settings from this `file` (default "+settings.DefaultConfigFile+" if it exists)")
	load := loader(func(need settings.Need) (*settings.Settings, error) { return settings.Load(p.environ, config, need) })
	root.AddCommand(p.runCommand(load), p.reportCommand(load), p.retryCommand(load), p.doctorCommand(load),
		p.typesCommand(load), p.demoCommand(), p.versionCommand(), manual.Command("docusort "+version, manualPages))
	return root
}

type loader func(settings.Need) (*settings.Settings, error)

func (load loader) openReader(ctx context.Context) (*store.Reader, error) {
	s, err := load(0)
	if err != nil {
		return nil, err
	}
	r, err := store.OpenReader(ctx, s.Database)
	return r, hintAtConfig(s, err)
}

// hintAtConfig adds to the error of a database that cannot be opened that the
// settings file, which was not read, may name another one.
func hintAtConfig(s *settings.Settings, err error) error {
	if err == nil || s.ConfigSkipped == nil {
		return err
	}
	return fmt.Errorf("%w\nThe settings may name another one: %w", err, s.ConfigSkipped)
}

// noArguments refuses arguments, and with them commands that do not exist.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usageError{fmt.Errorf("there is no command %q\nRun '%s --help' for those there are", args[0], cmd.CommandPath())}
	}
	return usageError{fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args)}
}

func (p program) getenv(name string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// color reports whether to write to w in colour.
func (p program) color(w io.Writer) bool { return isTerminal(w) && p.getenv("NO_COLOR") == "" }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns the columns of a terminal, or 0 where w is not one.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 0
}
